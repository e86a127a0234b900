import Raft

/// A copy has forgotten what the node has promised since it was made, or it is a second node of the same id: neither may
/// vote. From its content alone it can't be told from the directory of a node that was killed at that moment, so the
/// directory knows by a file that it is itself.
extension DataDirectory {
    /// Whether somebody copied the directory, from wherever and with whatever, or put a copy back. False for what takes the
    /// disk along as a whole: a snapshot or an image of the file system.
    func isCopy() throws(StorageError) -> Bool {
        guard let born = try identityFile()?.born else { return false }
        return try FileSystem.birth(of: identity) != born
    }

    /// What IDENTITY says; nil if there is none.
    func identityFile() throws(StorageError) -> IdentityFile.Content? {
        try FileSystem.read(identity).map { (bytes) throws(StorageError) in
            try IdentityFile.decode(bytes, path: identity)
        }
    }

    /// Makes or replaces IDENTITY: from now on this directory is the original. Durable on return.
    func write(_ owner: Identity) throws(StorageError) {
        try FileSystem.write(to: identity) { (descriptor) throws(StorageError) in
            IdentityFile.encode(owner, born: try FileSystem.birth(of: descriptor, identity))
        }
    }

    func copied(_ owner: Identity) -> StorageError {
        guard !owner.isNew else {
            return StorageError(
                .wrongIdentity, "\(path) is a copy of a directory that node \(owner.node) had begun and not completed",
                remedy: "remove it: there is nothing in it")
        }
        return StorageError(
            .wrongIdentity,
            "\(path) is a copy of the data directory of node \(owner.node), and knows nothing of what the node has "
                + "promised since",
            remedy:
                "start the node on its own directory; if that is gone, see docs/operating.md: a new node under a new "
                + "id, or roostd repair --adopt-copy")
    }
}
