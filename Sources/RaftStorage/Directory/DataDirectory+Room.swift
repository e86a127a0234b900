extension DataDirectory {
    /// Opening a database writes a little, a repair somewhat more, and on a full disk not even that is possible: first what
    /// is of no use any more goes, then the reserve. For who has the directory.
    ///
    /// - Parameter bytes: with so much free nothing goes.
    func makeRoom(forFree bytes: UInt64, _ progress: (String) -> Void) throws(StorageError) {
        func free() throws(StorageError) -> UInt64 { try FileSystemSpace(of: path).freeBytes }
        guard try free() < bytes else { return }
        try DirectoryFiles(root: path).removeLeftovers()
        let reserve = ReserveFile(directory: path)
        let (before, size) = (try free(), reserve.byteCount)
        guard size > 0, before < bytes else { return }
        try reserve.remove()
        progress("the disk has \(before >> 20) MiB free: gave up the reserve of \(size >> 20) MiB")
    }
}
