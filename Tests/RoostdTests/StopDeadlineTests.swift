import RoostNode
import Testing

@testable import roostd

@Suite("Deadline of a stop")
struct StopDeadlineTests {
    private let start = ContinuousClock.now
    private var deadline = StopDeadline(shutdownTimeout: .seconds(5))

    @Test func `there is none without a signal`() {
        var deadline = deadline
        #expect(deadline.deadline == nil)
        deadline.nodeStarted()
        #expect(deadline.deadline == nil)
    }

    @Test func `one signal is patient, a second one is not, and both count from the first`() {
        var deadline = deadline
        deadline.nodeStarted()
        deadline.signalArrived(at: start)
        #expect(deadline.deadline == start + .seconds(20))
        #expect(deadline.failure?.cause == "the stop took longer than 20s")
        deadline.signalArrived(at: start + .seconds(3))
        #expect(deadline.deadline == start + .seconds(5))
        #expect(deadline.failure?.cause == "the stop took longer than 5s")
        deadline.signalArrived(at: start + .seconds(4))
        #expect(deadline.deadline == start + .seconds(5))
        #expect(deadline.failure?.code == .unexpected)
    }

    @Test func `before recovery is done the end is near and clean`() {
        var deadline = deadline
        deadline.signalArrived(at: start)
        #expect(deadline.deadline == start + .seconds(5))
        #expect(deadline.failure == nil)
        deadline.nodeStarted()
        #expect(deadline.deadline == start + .seconds(20))
        #expect(deadline.failure != nil)
    }
}
