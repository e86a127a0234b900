/// Where a segment of commands entered the cluster. It is logged with the commands: the node that took them from its
/// clients finds its own origins in its apply stream and settles the clients from there, leader or not.
package struct Origin: Hashable, Sendable {
    /// Node id.
    package var node: UInt64
    /// Random, made anew at each start of the process, so that an old process' segments are not taken for its own.
    package var incarnation: UInt64
    /// Counts the segments of this process from 1.
    package var sequence: UInt64
    package init(node: UInt64, incarnation: UInt64, sequence: UInt64) {
        self.node = node
        self.incarnation = incarnation
        self.sequence = sequence
    }
}
