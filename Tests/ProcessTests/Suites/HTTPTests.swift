import Foundation
import RESP
import Testing

extension ProcessTests {
    @Suite("HTTP: probes, metrics, status") struct HTTPTests {
        private let sandbox = Sandbox.current!

        @Test func `livez, readyz and status of a healthy cluster`() throws {
            let cluster = try Cluster(sandbox)
            for node in cluster.nodes {
                #expect(try node.get("/livez").status == 200)
                try eventually("it is ready") { try node.get("/readyz").status == 200 ? () : nil }
                let response = try node.get("/status")
                #expect(response.status == 200)
                #expect(response.headers["content-type"]?.hasPrefix("application/json") == true)
                let status = try NodeStatus(json: response.body)
                #expect(status.node == node.node)
                #expect(try status.term == node.status().term)
            }
        }

        @Test func `readyz turns to 503 with reasons when the majority is gone, livez does not`() throws {
            let cluster = try Cluster(sandbox)
            let survivor = cluster.nodes[0]
            for node in cluster.nodes.dropFirst() { try node.kill() }
            let response = try eventually("readyz answers 503") {
                let response = try survivor.get("/readyz")
                return response.status == 503 ? response : nil
            }
            #expect(response.body.count > 10, "a reason: \(response.body)")
            #expect(try survivor.get("/livez").status == 200)
            try cluster.restartDead()
            try eventually("readyz answers 200") { try survivor.get("/readyz").status == 200 ? () : nil }
        }

        @Test func `metrics are well-formed Prometheus text and move with the load`() throws {
            let node = try DaemonProcess.single(sandbox)
            let before = try metrics(node)
            let connection = try node.connect()
            for number in 1...100 { #expect(try connection("SET", "k\(number)", "v") == .ok) }
            let after = try metrics(node)
            #expect(before.keys.allSatisfy { $0.hasPrefix("roost_") || $0.hasPrefix("process_") })
            #expect(Set(before.keys).isSubset(of: after.keys), "no series vanishes")
            let moved = after.filter { name, value in value > (before[name] ?? 0) }
            #expect(
                moved.keys.contains { $0.hasPrefix("roost_") && $0.contains("_total") }, "no counter counted: \(moved)")
            for (name, value) in before where name.contains("_total") {
                #expect(after[name]! >= value, "the counter \(name) went back")
            }
        }

        @Test func `what is not there is 404, what is not allowed 405`() throws {
            let node = try DaemonProcess.single(sandbox)
            #expect(try node.get("/no-such-page").status == 404)
            let port = node.settings.http
            let post = "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            #expect(try HTTPResponse.send(post, port: port).status == 405)
            let head = try HTTPResponse.send("HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", port: port)
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
        }

        /// Series and values; every line must be a comment or a sample of a family that was declared before.
        private func metrics(_ node: DaemonProcess) throws -> [String: Double] {
            let response = try node.get("/metrics")
            #expect(response.status == 200)
            #expect(response.headers["content-type"]?.hasPrefix("text/plain") == true)
            var types: [String: String] = [:]
            var series: [String: Double] = [:]
            let sample = /([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^}]*\})? ([-+0-9.eE]+|NaN|[+-]Inf)/
            for line in response.body.split(separator: "\n") {
                if line.hasPrefix("# TYPE ") {
                    let words = line.split(separator: " ")
                    #expect(
                        types.updateValue(String(words[3]), forKey: String(words[2])) == nil, "declared twice: \(line)")
                } else if !line.hasPrefix("#") {
                    guard let match = line.wholeMatch(of: sample) else { throw TestFailure("not a sample: \(line)") }
                    let name = String(match.1)
                    let family = ["_bucket", "_sum", "_count"].reduce(name) { name, suffix in
                        types[name] == nil && name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
                    }
                    #expect(types[family] != nil, "undeclared: \(line)")
                    #expect(
                        series.updateValue(Double(match.3) ?? 0, forKey: name + String(match.2 ?? "")) == nil,
                        "twice: \(line)")
                }
            }
            return series
        }
    }
}
