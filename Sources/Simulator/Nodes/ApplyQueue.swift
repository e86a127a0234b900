import ByteCoding
import DequeModule
import KeyValue
import Raft
import RaftStorage

/// What the applier has to do.
struct ApplyQueue {
    var entries: Deque<Entry> = []
    /// The page under way.
    var page: [Entry] = []
    /// Of all these entries.
    var bytes = 0
}

extension NodeProcess {
    func push(_ entries: [Entry]) {
        world.judge.applies(entries, on: place)
        applying.entries.append(contentsOf: entries)
        applying.bytes += entries.reduce(0) { $0 + $1.footprintBytes }
        applyIfIdle()
    }

    private func applyIfIdle() {
        guard applying.page.isEmpty, !applying.entries.isEmpty else { return }
        let isSlow = world.now < world.appliesSlowlyUntil[place]
        let takesOne = world.buggify.fires(.applyOne, chance: 5_000) || isSlow
        let limit = takesOne ? 1 : world.options.shell.maxPageEntries
        let count = min(limit, applying.entries.count)
        applying.page = Array(applying.entries.prefix(count))
        applying.entries.removeFirst(count)
        var delay = world.driverRandom.duration(mean: world.options.shell.applyMean)
        if world.buggify.fires(.applyLate) {
            // Long enough for others to campaign meanwhile.
            delay += world.driverRandom.duration(mean: world.options.core.electionTimeout)
        }
        if isSlow { delay += world.options.core.electionTimeout / Nemesis.slowPagesPerTimeout }
        world.plan(.pageApplied(node: Int32(place), life: life), after: delay)
    }

    func pageApplied() {
        let page = applying.page
        applying.page = []
        guard let last = page.last else { return }
        applying.bytes -= page.reduce(0) { $0 + $1.footprintBytes }
        apply(page)
        guard world.judge.violation == nil, node.process === self else { return }
        if let tree = stateTree { world.judge.compareState(tree, at: last.index, on: place) }
        noteApplied(page.count)
        applyIfIdle()
        installIfIdle()
        give(.applied(last.index))
    }

    /// One batch of the store.
    private func apply(_ page: [Entry]) {
        var position = position
        let units = world.units(of: page, &position, on: place)
        var hasSettled = false
        do throws(ApplyError) {
            try machine.apply(units, settlingFor: node.id.rawValue, incarnation: incarnation) { origin, outcomes in
                hasSettled = true
                settled(origin, outcomes)
            }
        } catch {
            if case .store(let error) = error { return fail(error) }
            return world.judge.report(Violation(.integrity, "node \(node.id) cannot apply: \(error)"))
        }
        // Which of the page's entries it was, the state machine does not say.
        if hasSettled, let first = page.first { world.judge.acknowledged(first.index) }
        self.position = position
    }
}

extension World {
    /// Entries as the state machine takes them; `position` moves behind them.
    func units(of page: [Entry], _ position: inout AppliedPosition, on place: Int) -> [ApplyUnit] {
        var units: [ApplyUnit] = []
        units.reserveCapacity(page.count)
        for entry in page {
            if entry.kind == .membership { take(entry, &position, on: place) }
            let payload = entry.kind == .normal ? entry.payload : nil
            units.append(ApplyUnit(position: Bytes(), index: entry.index.rawValue, payload: payload))
            position.id = entry.id
        }
        if !units.isEmpty { units[units.count - 1].position = position.encode() }
        return units
    }

    /// What the shell does with an entry of kind `membership`.
    private func take(_ entry: Entry, _ position: inout AppliedPosition, on place: Int) {
        guard let change = try? MembershipChange(decoding: entry.payload) else {
            return judge.report(Violation(.integrity, "the membership change \(entry.id) cannot be read"))
        }
        let old = position.membership
        if let new = try? old.applying(change) {
            do throws(StorageError) {
                position.directory = try position.directory.applying(change, resulting: new)
            } catch {
                judge.report(Violation(.integrity, "the directory of change \(entry.id): \(error)"))
            }
            position.membership = new
            marks.note(change, from: old, to: new)
        } else {
            // Leaders check a change against the membership that it will meet.
            judge.report(
                Violation(.configurationSafety, "the change \(change.steps) of \(entry.id) does not fit \(old)"))
        }
        judge.membershipApplied(entry.index, from: old, to: position.membership, on: place)
    }
}
