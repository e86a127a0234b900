import Foundation
import KeyValue
import Raft
import RaftStorage

/// A verification's result for programs. Fields are only ever added.
struct VerificationDocument: Codable {
    struct Finding: Codable {
        /// `damage` or `note`.
        var severity: String
        var part: String
        var message: String
    }

    var directory: String
    var whole: Bool
    var findings: [Finding]
    /// Absent when the identity could not be read.
    var node: UInt64?
    var clusterID: String?
    var incarnation: String?
    var files: Int
    var fileBytes: UInt64
    var entries: Int
    var truncated: UInt64
    var last: UInt64
    var commit: UInt64
    var applied: UInt64
    var term: UInt64
    var keys: Int
    var sessions: Int
    var replies: Int
    var stateBytes: Int
    /// Equal on replicas with equal `applied`; absent when not all of the state could be read.
    var stateDigest: String?
    var suspect: Bool

    enum CodingKeys: String, CodingKey {
        case directory, whole, findings, node, incarnation, files, entries, truncated, last, commit, applied, term
        case keys, sessions, replies, suspect
        case clusterID = "cluster_id"
        case fileBytes = "file_bytes"
        case stateBytes = "state_bytes"
        case stateDigest = "state_digest"
    }

    init(_ report: VerificationReport, directory: String) {
        self.directory = directory
        whole = report.isWhole
        findings = report.findings.map {
            Finding(severity: $0.severity.rawValue, part: $0.part.rawValue, message: $0.message)
        }
        node = report.identity?.node.rawValue
        clusterID = report.identity.map { IdentityText.hexadecimal($0.clusterID) }
        incarnation = report.identity.map { IdentityText.hexadecimal($0.incarnation) }
        (files, fileBytes, entries) = (report.files, report.fileBytes, report.entries)
        (truncated, last) = (report.truncated.rawValue, report.last.rawValue)
        (commit, applied, term) = (report.commit.rawValue, report.applied.rawValue, report.term.rawValue)
        (keys, sessions, replies) = (report.values, report.sessions, report.replies)
        stateDigest = report.digest?.description
        (stateBytes, suspect) = (report.stateBytes, report.isSuspect)
    }

    var json: String { JSONText.of(self) }
}

enum JSONText {
    /// One line, keys in order.
    static func of(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { preconditionFailure("\(type(of: value)) has no JSON form") }
        return String(decoding: data, as: UTF8.self)
    }
}
