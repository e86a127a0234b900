import Raft
import RaftStorage
import RedisServer

/// What `ROOST.MEMBER` is answered.
extension NodeView {
    func members() -> [AdminMember] {
        guard let book, let core = board.picture?.core else { return [] }
        let membership = book.membership
        return membership.all.map { node in
            let contact = book.contact(of: node)
            let role: AdminMember.Role =
                if membership.voters.contains(node) { .voter } else {
                    membership.learners.contains(node) ? .learner : .leaving
                }
            return AdminMember(
                node: node.rawValue, role: role, isLeader: core.leader == node, peer: contact.peer,
                redis: contact.redis, http: contact.http)
        }
    }

    func reply(to answer: MembershipDesk.Answer) -> AdminReply {
        switch answer {
        case .done: .ok
        case .member(let node): .number(node.rawValue)
        case .failed(.refused(let sentence)): .failure("ERR \(sentence)")
        case .failed(.tryAgain(let sentence)): .failure("TRYAGAIN \(sentence); nothing was changed")
        case .failed(.inDoubt):
            .failure("INDOUBT the change may or may not take effect; see ROOST.MEMBER LIST before you repeat it")
        case .failed(.notLeader): .failure(notLeader)
        }
    }

    /// The word that clients take for "certainly not done, another node can".
    private var notLeader: String {
        guard let leader = board.picture?.core.leader, let book, leader != book.node else {
            return "LOADING no leader is known at the moment; nothing was changed"
        }
        let door = book.contact(of: leader).redis
        return "READONLY node \(leader) leads, and only the leader changes the membership: ask it"
            + (door.isEmpty ? "" : " at \(door)")
    }
}
