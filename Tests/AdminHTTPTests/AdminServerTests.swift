import Logging
import NIOCore
import NIOPosix
import Testing

@testable import AdminHTTP

@Suite("Admin door", .timeLimit(.minutes(5)))
struct AdminServerTests {
    private static let routes: [String: AdminRoute] = [
        "/livez": { _ in .text("ok") },
        "/readyz": { _ in .text(status: 503, "no leader") },
        "/status": { path in .json("{\"path\":\"\(path)\"}") },
        "/slow": { _ in
            try? await Task.sleep(for: .seconds(3600))
            return .text("never")
        },
        "/large": { _ in .text(String(repeating: "x", count: 16 << 20)) },
    ]

    /// Runs a server on a free port for as long as `body` takes.
    private func withServer(
        _ limits: AdminLimits = AdminLimits(), routes: [String: AdminRoute] = routes, _ body: (Int) async throws -> Void
    ) async throws {
        let server = try await AdminServer.start(
            host: "127.0.0.1", port: 0, routes: routes, limits: limits, group: .singletonMultiThreadedEventLoopGroup,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        do {
            try await body(server.port)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    /// One request on a connection of its own, and everything that comes back.
    private func exchange(_ port: Int, _ request: String) async throws -> String {
        let client = try await RawClient.connect(port: port)
        try await client.send(request)
        return try await client.untilClosed()
    }

    @Test func `a route is answered with its status, type, length and body`() async throws {
        try await withServer { port in
            let answer = try await exchange(port, "GET /status?x=1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            #expect(
                answer == """
                    HTTP/1.1 200 OK\r
                    content-type: application/json\r
                    content-length: 18\r
                    cache-control: no-store\r
                    connection: close\r
                    \r
                    {"path":"/status"}
                    """)
        }
    }

    @Test(arguments: [
        (
            "GET /readyz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "HTTP/1.1 503 Service Unavailable",
            "no leader\n"
        ),
        ("HEAD /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "content-length: 3\r\n", "\r\n\r\n"),
        ("GET /livez HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK", "ok\n"),
        ("GET /livez HTTP/1.0\r\nconnection: keep-alive\r\n\r\n", "connection: close", "ok\n"),
        (
            "GET /nope HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "HTTP/1.1 404 Not Found",
            "/livez /readyz /slow /status\n"
        ),
        ("GET /livez/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "HTTP/1.1 404 Not Found", "/status\n"),
        (
            "POST /livez HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n", "allow: GET, HEAD",
            "only GET and HEAD are allowed\n"
        ),
        ("PUT /x HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc", "413", "no request here has a body\n"),
        ("GET /livez HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc", "413", "no request here has a body\n"),
        ("*1\r\n$4\r\nPING\r\n", "HTTP/1.1 400 Bad Request", "\r\n\r\n"),
        ("GET /livez HTTP/1.1\r\nbroken\r\n\r\n", "HTTP/1.1 400 Bad Request", "\r\n\r\n"),
    ]) func `other requests`(request: String, contains: String, suffix: String) async throws {
        try await withServer { port in
            let answer = try await exchange(port, request)
            #expect(answer.contains(contains))
            #expect(answer.hasSuffix(suffix))
            #expect(answer.components(of: "HTTP/1.1") == 1)
        }
    }

    @Test func `a connection serves many requests, pipelined ones in order`() async throws {
        try await withServer { port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET /livez HTTP/1.1\r\nhost: a\r\n\r\n")
            let first = try await client.until("ok\n")
            #expect(!first.contains("connection: close"))
            try await client.send(
                ["/status", "/nope", "/livez"].map { "GET \($0) HTTP/1.1\r\nhost: a\r\n\r\n" }.joined()
            )
            let rest = try await client.until("ok\n", after: first.count)
            let statuses = rest.split(separator: "HTTP/1.1 ").map { $0.prefix(3) }
            #expect(statuses == ["200", "404", "200"])
            await client.close()
        }
    }

    @Test func `a client that says it is done still gets its answer`() async throws {
        try await withServer { port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET /livez HTTP/1.1\r\nhost: a\r\n\r\n")
            try await client.finish()
            #expect(try await client.untilClosed().hasSuffix("ok\n"))
        }
    }

    @Test(arguments: [
        "GET /livez HTTP/1.1\r\nx: " + String(repeating: "x", count: 5_000) + "\r\n\r\n",
        "GET /" + String(repeating: "x", count: 5_000) + " HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /livez HTTP/1.1\r\n" + String(repeating: "x: y\r\n", count: 1_000) + "\r\n",
    ]) func `a head beyond the limit is refused`(request: String) async throws {
        var limits = AdminLimits()
        limits.maxHeaderBytes = 4 << 10
        try await withServer(limits) { port in
            let answer = try await exchange(port, request)
            #expect(answer.hasPrefix("HTTP/1.1 4"))
            #expect(!answer.contains("ok"))
        }
    }

    @Test func `a connection too many is answered and closed, and there is room again when one leaves`() async throws {
        var limits = AdminLimits()
        limits.maxConnections = 1
        try await withServer(limits) { port in
            let client = try await RawClient.connect(port: port)
            try await client.send("GET /livez HTTP/1.1\r\nhost: a\r\n\r\n")
            _ = try await client.until("ok\n")
            let refused = try await RawClient.connect(port: port)
            #expect(try await refused.untilClosed().hasPrefix("HTTP/1.1 503 "))
            try await client.send("GET /livez HTTP/1.0\r\n\r\n")
            #expect(try await client.untilClosed().hasSuffix("ok\n"))
            // The server notices the end a moment after its client does.
            var answer = ""
            while !answer.hasSuffix("ok\n") {
                let next = try await RawClient.connect(port: port)
                try? await next.send("GET /livez HTTP/1.0\r\n\r\n")
                answer = try await next.untilClosed()
            }
        }
    }

    @Test(arguments: ["", "GET /livez HT"]) func `a client that brings no request is closed`(part: String) async throws
    {
        var limits = AdminLimits()
        limits.requestTimeout = .milliseconds(20)
        try await withServer(limits) { port in
            let client = try await RawClient.connect(port: port)
            // May come after the end already.
            try? await client.send(part)
            let answer = try await client.untilClosed()
            #expect(answer == "")
        }
    }

    @Test func `a route that takes too long is cancelled and answered 503`() async throws {
        var limits = AdminLimits()
        limits.answerTimeout = .milliseconds(20)
        let (cancelled, continuation) = AsyncStream.makeStream(of: Bool.self)
        let route: AdminRoute = { _ in
            try? await Task.sleep(for: .seconds(3600))
            continuation.yield(Task.isCancelled)
            return .text("late")
        }
        try await withServer(limits, routes: ["/slow": route]) { port in
            let answer = try await exchange(port, "GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 503 "))
            #expect(answer.hasSuffix("the node did not answer in time\n"))
            for await isCancelled in cancelled {
                #expect(isCancelled)
                break
            }
        }
    }

    @Test func `a client that does not read its answer is closed`() async throws {
        var limits = AdminLimits()
        limits.answerTimeout = .milliseconds(200)
        limits.maxConnections = 1
        try await withServer(limits) { port in
            let stuck = try await RawClient.connect(port: port, autoRead: false)
            try await stuck.send("GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
            // The only place is taken, until the server has lost its patience.
            var answer = ""
            while !answer.hasSuffix("ok\n") {
                let next = try await RawClient.connect(port: port)
                try? await next.send("GET /livez HTTP/1.0\r\n\r\n")
                answer = try await next.untilClosed()
            }
            await stuck.close()
        }
    }

    @Test func `stopping closes open connections and frees the port`() async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        func start(_ port: Int) async throws -> AdminServer {
            try await AdminServer.start(
                host: "127.0.0.1", port: port, routes: Self.routes, group: .singletonMultiThreadedEventLoopGroup,
                logger: logger)
        }
        let server = try await start(0)
        let client = try await RawClient.connect(port: server.port)
        try await client.send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
        await #expect(throws: AdminBindError.addressInUse) { try await start(server.port) }
        await server.stop()
        #expect(try await client.untilClosed() == "")
        let again = try await start(server.port)
        #expect(again.port == server.port)
        await again.stop()
    }

    @Test func `an address of another machine cannot be listened on`() async {
        await #expect(throws: AdminBindError.addressNotAvailable) {
            try await AdminServer.start(
                host: "192.0.2.1", port: 0, routes: [:], group: .singletonMultiThreadedEventLoopGroup,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
    }
}

extension String {
    /// How often `part` occurs.
    fileprivate func components(of part: String) -> Int {
        split(separator: part, omittingEmptySubsequences: false).count - 1
    }
}
