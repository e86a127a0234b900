import ArgumentParser
import ByteCoding
import Raft
import RaftStorage
import RoostNode

/// Shows what a data directory holds.
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a data directory holds while no node runs on it; changes nothing.",
        discussion: "Without a subcommand: identity, hard state, the log's ends, membership, files.",
        subcommands: [InspectSummary.self, InspectLog.self, InspectKeys.self], defaultSubcommand: InspectSummary.self)

    /// The one group, until there are more.
    static let group = GroupID(1)

    @ParentCommand var daemon: Roostd

    /// Opens the directory and shows it.
    func look(_ options: OfflineOptions, _ body: (OfflineStore) throws(StorageError) -> Void) throws {
        let directory = try options.directory(after: daemon.options)
        try OfflineOptions.looking { () throws(StorageError) in
            var bar = ProgressBar(isWanted: true)
            bar.show(VerificationProgress(step: .opening, done: 0, total: 0))
            let store: OfflineStore
            do {
                defer { bar.end() }
                store = try OfflineStore.open(directory)
            }
            try body(store)
        }
    }
}

struct InspectSummary: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "summary", abstract: "Identity, hard state, the log's ends, membership, files.")

    @ParentCommand var inspect: Inspect

    @OptionGroup var options: OfflineOptions

    func run() throws {
        try inspect.look(options) { (store) throws(StorageError) in
            var bar = ProgressBar(isWanted: true)
            let summary: StoreSummary
            do {
                defer { bar.end() }
                summary = try store.summary(of: Inspect.group) { bar.show($0) }
            }
            print(options.json ? JSONText.of(SummaryDocument(summary)) : SummaryText.page(summary))
        }
    }
}

struct InspectLog: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Entries of the log, one a line, with what they do.")

    @ParentCommand var inspect: Inspect

    @OptionGroup var options: OfflineOptions

    @Option(help: "The first index. Default: the first that is there.")
    var from: UInt64?

    @Option(help: "The last index. Default: the last that is there.")
    var to: UInt64?

    @Option(help: "At most so many entries; 0: all.")
    var limit: UInt64 = 50

    func validate() throws {
        if let from, let to, from > to { throw ValidationError("--from is behind --to") }
    }

    func run() throws {
        try inspect.look(options) { (store) throws(StorageError) in
            let first = try store.head(of: Inspect.group).truncated.index.next
            let range = max(first, LogIndex(from ?? 0))...max(first, LogIndex(to ?? .max))
            guard range.lowerBound <= LogIndex(to ?? .max) else { return }
            let count = min(store.estimatedEntries, range.upperBound.rawValue - range.lowerBound.rawValue)
            try ProgressBar.withListing { (show) throws(StorageError) in
                var progress = ListingProgress(.log, of: count, limit: limit, show: show)
                var shown: UInt64 = 0
                try store.scanLog(Inspect.group, range) { (entry) throws(StorageError) in
                    guard limit == 0 || shown < limit else { return false }
                    shown += 1
                    let document = EntryDocument(entry)
                    print(options.json ? JSONText.of(document) : document.line)
                    progress.add()
                    return true
                }
            }
        }
    }
}

struct InspectKeys: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Keys of the state as it is on disk, ascending, with versions and values.",
        discussion: """
            What the log holds beyond the state (see `roostd inspect`) is not applied here. Bytes that can't be \
            printed are shown as \\xNN.
            """)

    @ParentCommand var inspect: Inspect

    @OptionGroup var options: OfflineOptions

    @Option(help: "Only keys that begin so.")
    var prefix = ""

    @Option(help: "At most so many keys; 0: all.")
    var limit: UInt64 = 50

    func run() throws {
        try inspect.look(options) { (store) throws(StorageError) in
            var damage: StorageError?
            let prefix = Array(prefix.utf8)
            try ProgressBar.withListing { (show) throws(StorageError) in
                // How many keys begin so, nobody knows.
                let count = prefix.isEmpty ? store.estimatedKeys : 0
                var progress = ListingProgress(.state, of: count, limit: limit, show: show)
                var shown: UInt64 = 0
                try store.scanKeys(Inspect.group, from: .init(prefix)) { key, stored in
                    guard key.starts(with: prefix), limit == 0 || shown < limit else { return false }
                    shown += 1
                    do throws(StorageError) {
                        let document = try KeyDocument(key, stored)
                        print(options.json ? JSONText.of(document) : document.line)
                        progress.add()
                        return true
                    } catch {
                        damage = error
                        return false
                    }
                }
            }
            if let damage { throw damage }
        }
    }
}
