import Raft
import Testing

@testable import RoostNode

@Suite("Inbox: many producers, one consumer, everything at once")
struct InboxTests {
    @Test func `a drain takes everything in order`() {
        let inbox = Inbox<Int>()
        inbox.push(1)
        inbox.push(contentsOf: [2, 3])
        var batch: [Int] = []
        inbox.drain(into: &batch, until: .never)
        #expect(batch == [1, 2, 3])
        #expect(inbox.isEmpty)
    }

    @Test func `a deadline that has passed ends the wait with nothing`() {
        let inbox = Inbox<Int>()
        var batch: [Int] = []
        inbox.drain(into: &batch, until: .zero)
        #expect(batch.isEmpty)
    }

    @Test(.timeLimit(.minutes(5))) func `nothing is lost or torn between producers and a sleeping consumer`() {
        let inbox = Inbox<(producer: Int, number: Int)>()
        let producers = 4
        let count = 20_000
        let threads = (0..<producers).map { producer in
            WorkerThread(name: "producer-\(producer)") {
                for number in 0..<count { inbox.push((producer, number)) }
            }
        }
        var next = [Int](repeating: 0, count: producers)
        var batch: [(producer: Int, number: Int)] = []
        while next.reduce(0, +) < producers * count {
            batch.removeAll(keepingCapacity: true)
            inbox.drain(into: &batch, until: .never)
            for item in batch {
                #expect(item.number == next[item.producer])
                next[item.producer] += 1
            }
        }
        for thread in threads { thread.join() }
        #expect(inbox.isEmpty)
    }
}
