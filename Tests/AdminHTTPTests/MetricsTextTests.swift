import AdminHTTP
import Testing

@Suite("Prometheus text format")
struct MetricsTextTests {
    @Test func `a family has one HELP and one TYPE, and all its samples together`() {
        var metrics = MetricsText()
        metrics.counter("roost_commands_total", "Commands.", 3, labels: [("kind", "read")])
        metrics.gauge("roost_clients", "Open connections.", 7)
        metrics.counter("roost_commands_total", "Commands.", 4, labels: [("kind", "write"), ("node", "1")])
        #expect(
            metrics.text == """
                # HELP roost_commands_total Commands.
                # TYPE roost_commands_total counter
                roost_commands_total{kind="read"} 3
                roost_commands_total{kind="write",node="1"} 4
                # HELP roost_clients Open connections.
                # TYPE roost_clients gauge
                roost_clients 7

                """)
    }

    @Test func `a histogram is cumulative buckets, sum and count`() {
        var metrics = MetricsText()
        let histogram = MetricsText.Histogram(
            buckets: [.init(upperBound: 0.00001, cumulativeCount: 1), .init(upperBound: 2.5, cumulativeCount: 3)],
            count: 4, sum: 7.25)
        metrics.histogram("roost_fsync_seconds", "Sync.", histogram, labels: [("disk", "log")])
        #expect(
            metrics.text == """
                # HELP roost_fsync_seconds Sync.
                # TYPE roost_fsync_seconds histogram
                roost_fsync_seconds_bucket{disk="log",le="1e-05"} 1
                roost_fsync_seconds_bucket{disk="log",le="2.5"} 3
                roost_fsync_seconds_bucket{disk="log",le="+Inf"} 4
                roost_fsync_seconds_sum{disk="log"} 7.25
                roost_fsync_seconds_count{disk="log"} 4

                """)
    }

    @Test func `help and label values are escaped, each by its own rule`() {
        var metrics = MetricsText()
        metrics.gauge("g", "a \\ \"b\"\nc", 1, labels: [("v", "a \\ \"b\"\nc")])
        #expect(metrics.text == "# HELP g a \\\\ \"b\"\\nc\n# TYPE g gauge\ng{v=\"a \\\\ \\\"b\\\"\\nc\"} 1\n")
    }

    @Test(
        arguments: [
            (0.5, "0.5"), (-0.0, "-0.0"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (1e21, "1e+21"),
            (3, "3.0"),
        ] as [(Double, String)]) func `numbers`(value: Double, text: String)
    {
        var metrics = MetricsText()
        metrics.gauge("g", "G.", value)
        #expect(metrics.text.hasSuffix("\ng \(text)\n"))
    }

    @Test func `names that the format does not allow are our mistake`() async {
        await #expect(processExitsWith: .failure) {
            var metrics = MetricsText()
            metrics.gauge("1st", "A digit first.", 1)
        }
        await #expect(processExitsWith: .failure) {
            var metrics = MetricsText()
            metrics.counter("roost_things", "No _total.", 1)
        }
        await #expect(processExitsWith: .failure) {
            var metrics = MetricsText()
            metrics.gauge("g", "A label with a dash.", 1, labels: [("a-b", "")])
        }
    }
}
