import AdminHTTP

/// The pages of the HTTP door.
enum AdminRoutes {
    static func routes(_ view: NodeView) -> [String: AdminRoute] {
        [
            "/metrics": { _ in .metrics(MetricsPage(view: view).text()) },
            // Lives as long as the process does its work, with or without a majority: a probe that kills a node which
            // recovers or catches up would keep it from ever finishing.
            "/livez": { _ in .text("ok") },
            "/readyz": { _ in
                let obstacles = view.obstacles()
                return obstacles.isEmpty
                    ? .text("ok") : .text(status: 503, obstacles.joined(separator: "\n"))
            },
            "/status": { _ in .json(view.document().json) },
        ]
    }
}
