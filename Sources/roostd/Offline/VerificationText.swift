import KeyValue
import Raft
import RaftStorage

/// A verification's result for people.
enum VerificationText {
    static func page(_ report: VerificationReport, directory: String) -> String {
        var lines = ["directory  \(directory)"]
        if let identity = report.identity {
            lines.append("node       " + IdentityText.line(identity))
        }
        lines.append("files      \(Amount.count(report.files)) read, \(Amount.bytes(report.fileBytes))")
        let log =
            report.entries == 0
            ? "empty behind \(report.truncated)"
            : "\(Amount.count(report.entries)) entries, \(report.truncated.next) ... \(report.last)"
        lines.append("log        \(log); term \(report.term), committed \(report.commit)")
        lines.append(
            "state      applied \(report.applied); \(Amount.count(report.values)) keys, "
                + "\(Amount.count(report.sessions)) sessions, \(Amount.bytes(report.stateBytes))")
        if let digest = report.digest { lines.append("digest     \(digest) at \(report.applied)") }
        for finding in report.findings {
            let label = finding.severity == .damage ? "DAMAGE" : "note"
            lines.append(label + String(repeating: " ", count: 11 - label.count) + finding.message)
        }
        lines.append(report.isWhole ? "whole: nothing is damaged" : "damaged")
        return lines.joined(separator: "\n")
    }
}

enum IdentityText {
    /// `1 of cluster "demo" (cff830aea5254e62), founders 1,2,3, incarnation 239e33124bad63e7`
    static func line(_ identity: Identity) -> String {
        let founders = identity.founders.map(\.description).joined(separator: ",")
        return "\(identity.node) of cluster \"\(identity.clusterName)\" (\(hexadecimal(identity.clusterID))), "
            + "founders \(founders), incarnation \(hexadecimal(identity.incarnation))"
    }

    /// Sixteen digits.
    static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
