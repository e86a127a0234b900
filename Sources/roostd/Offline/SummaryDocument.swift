import Raft
import RaftStorage

/// `roostd inspect` for programs. Fields are only ever added.
struct SummaryDocument: Codable {
    struct Peer: Codable {
        var node: UInt64
        var incarnation: String
    }

    struct Member: Codable {
        var node: UInt64
        var incarnation: String
        var peer: String
        var redis: String
        var http: String
        var staysLearner: Bool

        enum CodingKeys: String, CodingKey {
            case node, incarnation, peer, redis, http
            case staysLearner = "stays_learner"
        }
    }

    struct File: Codable {
        var name: String
        var bytes: UInt64
    }

    struct Family: Codable {
        var name: String
        var files: Int
        var bytes: UInt64
        var keys: UInt64
    }

    var node: UInt64
    var clusterID: String
    var clusterName: String
    var founders: [UInt64]
    var incarnation: String
    var generation: UInt64
    var suspect: Bool
    var removed: Bool
    var copy: Bool
    var term: UInt64
    /// Absent: none given in this term.
    var vote: UInt64?
    var truncated: UInt64
    var truncatedTerm: UInt64
    /// Absent: no entries.
    var first: UInt64?
    var last: UInt64?
    var lastTerm: UInt64
    /// As known when entries were last written.
    var commit: UInt64
    /// Absent, with all after it: nothing was applied.
    var applied: UInt64?
    var appliedTerm: UInt64?
    var voters: [UInt64]?
    var learners: [UInt64]?
    var leaving: [UInt64]?
    var highestID: UInt64?
    var members: [Member]?
    var met: [Peer]
    var families: [Family]
    var writeAheadLogBytes: UInt64
    var snapshots: [File]

    enum CodingKeys: String, CodingKey {
        case node, founders, incarnation, generation, suspect, removed, copy, term, vote, truncated, first, last, commit
        case applied, voters, learners, leaving, members, met, families, snapshots
        case clusterID = "cluster_id"
        case clusterName = "cluster_name"
        case truncatedTerm = "truncated_term"
        case lastTerm = "last_term"
        case appliedTerm = "applied_term"
        case highestID = "highest_id"
        case writeAheadLogBytes = "wal_bytes"
    }

    init(_ summary: StoreSummary) {
        let identity = summary.identity
        node = identity.node.rawValue
        clusterID = IdentityText.hexadecimal(identity.clusterID)
        clusterName = identity.clusterName
        founders = identity.founders.map(\.rawValue)
        incarnation = IdentityText.hexadecimal(identity.incarnation)
        (generation, suspect) = (summary.generation, summary.isSuspect)
        (removed, copy) = (summary.isRemoved, summary.isCopy)
        term = summary.head.hardState.term.rawValue
        vote = summary.head.hardState.vote?.rawValue
        truncated = summary.head.truncated.index.rawValue
        truncatedTerm = summary.head.truncated.term.rawValue
        first = summary.entries?.lowerBound.rawValue
        last = summary.entries?.upperBound.rawValue
        lastTerm = summary.lastTerm.rawValue
        commit = summary.head.commit.rawValue
        if let position = summary.applied {
            applied = position.id.index.rawValue
            appliedTerm = position.id.term.rawValue
            voters = position.membership.voters.map(\.rawValue)
            learners = position.membership.learners.map(\.rawValue)
            leaving = position.membership.outgoing.map(\.rawValue)
            highestID = position.directory.highestID.rawValue
            members = position.directory.members.entries.map { entry in
                Member(
                    node: entry.node.rawValue, incarnation: IdentityText.hexadecimal(entry.member.incarnation),
                    peer: entry.member.peer, redis: entry.member.redis, http: entry.member.http,
                    staysLearner: entry.member.staysLearner)
            }
        }
        met = summary.peers.map {
            Peer(node: $0.node.rawValue, incarnation: IdentityText.hexadecimal($0.incarnation))
        }
        families = summary.families.map { Family(name: $0.name, files: $0.files, bytes: $0.bytes, keys: $0.keys) }
        writeAheadLogBytes = summary.writeAheadLogBytes
        snapshots = summary.snapshots.map { File(name: $0.name, bytes: $0.bytes) }
    }
}
