/// Rounds over subjects over workloads.
struct Campaign {
    let plan: Plan
    let subjects: [any Subject]
    let workspace: Workspace
    private var progress: Progress

    init(plan: Plan, subjects: [any Subject], workspace: Workspace) {
        (self.plan, self.subjects, self.workspace) = (plan, subjects, workspace)
        let perRound = subjects.map { subject in plan.workloads.count { subject.carries($0) } }.reduce(0, +)
        progress = Progress(total: perRound * plan.rounds)
    }

    mutating func run(_ report: inout Report) throws {
        guard progress.total > 0 else { throw BenchError("no subject carries any of these workloads") }
        let start = ContinuousClock.now
        for round in 1...plan.rounds {
            // The first round is always finished: a table with holes compares nothing.
            if round > 1, ContinuousClock.now - start > plan.timeLimit * (round - 1) / round {
                report.missing.append("stopped after \(round - 1) of \(plan.rounds) rounds: the time limit")
                break
            }
            for subject in subjects { measure(subject, round, &report) }
            report.rounds = round
        }
        progress.end()
    }

    /// A failure is a sample too, so that it shows in the table instead of ending the run.
    private mutating func measure(_ subject: any Subject, _ round: Int, _ report: inout Report) {
        let workloads = plan.workloads.filter(subject.carries)
        guard !workloads.isEmpty else { return }
        do {
            // Two tries of one subject never see each other's files.
            try workspace.withFolder("\(subject.kind.rawValue)") { folder in
                let running = try subject.start(in: folder)
                defer { running.stop() }
                for workload in workloads {
                    progress.step("round \(round) of \(plan.rounds): \(subject.kind.title), \(workload.name)")
                    var sample = Sample(subject: subject.kind, workload: workload, result: .failure(""))
                    do {
                        sample.result = .measured(try running.measure(workload, plan.effort))
                    } catch {
                        sample.result = .failure("\(error)")
                        progress.note("failed: \(subject.kind.title), \(workload.name): \(error)")
                    }
                    report.add(sample)
                }
            }
        } catch {
            progress.note("failed: \(subject.kind.title): \(error)")
            report.add(Sample(subject: subject.kind, workload: nil, result: .failure("\(error)")))
        }
    }
}
