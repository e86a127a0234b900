/// What the first word of an error promises about the command (docs: "Error words").
enum ErrorWord {
    /// Clients send these commands again, so they must certainly not have been applied.
    static let notApplied: Set<Substring> = [
        "LOADING", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "READONLY", "BUSY", "NOSPACE",
    ]
    static let unknownOutcome: Substring = "INDOUBT"
}
