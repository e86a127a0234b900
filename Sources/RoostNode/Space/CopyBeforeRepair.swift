import Logging
import RaftStorage

extension NodeStore {
    /// Gives up what the node has kept of the time before it repaired itself, if anything, and says so: an operator may
    /// wonder where it is.
    func giveUpCopyBeforeRepair(_ reason: String, _ logger: Logger) throws(StorageError) {
        let bytes = copyBeforeRepairBytes
        guard bytes > 0 else { return }
        try dropCopyBeforeRepair()
        logger.notice(
            "gave up before-repair/, the database from before the repair",
            metadata: ["bytes": "\(ByteSize.rounded(bytes))", "reason": "\(reason)"])
    }
}
