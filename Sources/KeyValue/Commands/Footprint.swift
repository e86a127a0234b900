package import ByteCoding

/// What a command may read and write, from its bytes alone and before it runs. Two commands of which neither writes what
/// the other reads or writes, and that are not of one session, can be applied in either order: an engine that orders only conflicts asks for this.
package struct Footprint: Hashable, Sendable {
    package var keysRead: [Bytes] = []
    package var keysWritten: [Bytes] = []
    /// At most one: commands of one session are ordered among themselves.
    package var session: SessionID?
    /// Conflicts with every command.
    package var isWhole = false

    package init(
        keysRead: [Bytes] = [], keysWritten: [Bytes] = [], session: SessionID? = nil, isWhole: Bool = false
    ) {
        self.keysRead = keysRead
        self.keysWritten = keysWritten
        self.session = session
        self.isWhole = isWhole
    }

    package init(of command: Command) {
        switch command {
        case .set(let key, _, .none, returnOld: false):
            keysWritten = [Bytes(copying: key)]
        case .set(let key, _, _, _), .append(let key, _), .increment(let key, _):
            keysWritten = [Bytes(copying: key)]
            keysRead = keysWritten
        case .delete(let keys):
            keysWritten = keys.map { Bytes(copying: $0) }
            keysRead = keysWritten
        case .multiSet(let pairs):
            keysWritten = pairs.map { Bytes(copying: $0.key) }
        case .flushAll:
            isWhole = true
        case .openSession:
            // Which session makes room follows from the uses of all.
            isWhole = true
        case .closeSession(let session):
            self.session = session
        case .once(let request):
            self = .init(of: request.command)
            session = request.session
        }
    }
}
