/// Why a history can't be explained, for people: one sentence, and the operations that it speaks about.
///
/// A violation is a fact about all orders at once. Mostly there is a short proof that needs two or three operations: a
/// value that nobody could have written by then, or one that had been overwritten before. Where none of these is found,
/// the sentence lists a few replies that contradict each other, or says at least what the longest order leads to. Finding
/// them takes some checks of the history, so an explanation may cost many times what the verdict did.
public struct Explanation: Hashable, Sendable {
    /// Complete, without the name of the key.
    public var sentence: String
    /// Indices of the operations that prove it beside the culprit, in the order of time.
    public var witnesses: [Int]

    /// - Parameter operations: those that were checked, in the same order.
    public init(of violation: Violation, in operations: [Operation]) {
        let prover = Prover(violation, operations)
        let proof = prover.unwritten() ?? prover.overwritten() ?? prover.usedUp() ?? prover.core() ?? prover.deadEnd()
        sentence = proof.sentence
        witnesses = proof.witnesses.sorted {
            (operations[$0].invoked, $0) < (operations[$1].invoked, $1)
        }
    }
}
