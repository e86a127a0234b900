/// The figures of one run of a load generator.
struct Measurement {
    var perSecond: Double
    var p50Milliseconds: Double
    var p99Milliseconds: Double
    var command: [String]
}

/// What one subject did under one workload in one round.
struct Sample {
    enum Result {
        case measured(Measurement)
        /// Why there are no figures.
        case failure(String)
    }

    var subject: String
    /// `nil`: the subject could not even be started.
    var workload: Workload?
    var result: Result

    static func of(_ subject: String, _ workload: Workload, _ measure: () throws -> Measurement) -> Sample {
        do {
            return Sample(subject: subject, workload: workload, result: .measured(try measure()))
        } catch {
            return Sample(subject: subject, workload: workload, result: .failure("\(error)"))
        }
    }

    static func failure(_ subject: String, _ reason: String) -> Sample {
        Sample(subject: subject, workload: nil, result: .failure(reason))
    }
}
