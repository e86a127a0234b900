import RaftStorage
import RedisServer

/// `ROOST.DEBUG FAILPOINT`: makes this process crash, fail or pause at a named place.
extension NodeView {
    func orderFailpoint(_ words: [String]) -> AdminReply {
        guard allowsFaults else { return Self.faultsAreOff }
        do throws(FailpointWords.Refusal) {
            switch try FailpointWords(words).request {
            case .list: return .lines(Failpoint.allCases.map(Self.line))
            case .set(let order): FailpointBoard.set(order)
            case .off(let place): FailpointBoard.clear(place)
            }
            return .ok
        } catch {
            return .failure("ERR \(error.sentence)")
        }
    }

    /// `log-after-sync crash after 3 (1 pass)`, or the name alone.
    private static func line(_ place: Failpoint) -> String {
        guard let (order, passes) = FailpointBoard.state(of: place) else { return place.name }
        return "\(FailpointWords.text(order)) (\(passes) \(passes == 1 ? "pass" : "passes"))"
    }
}
