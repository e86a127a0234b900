/// What a route answers.
package struct AdminResponse: Hashable, Sendable {
    /// An HTTP status code: 200, or 503 for a check that fails.
    package var status: Int
    package var contentType: String
    package var body: String

    package init(status: Int = 200, contentType: String, body: String) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    /// A sentence or a list for people; ends with a newline.
    package static func text(status: Int = 200, _ body: String) -> AdminResponse {
        AdminResponse(status: status, contentType: "text/plain; charset=utf-8", body: body + "\n")
    }

    /// `body` is a complete JSON document.
    package static func json(status: Int = 200, _ body: String) -> AdminResponse {
        AdminResponse(status: status, contentType: "application/json", body: body)
    }

    package static func metrics(_ metrics: MetricsText) -> AdminResponse {
        AdminResponse(contentType: MetricsText.contentType, body: metrics.text)
    }
}

/// Answers GET for one path; HEAD is answered from the same without the body.
///
/// Called with the path, in a task of its own and never on an event loop; several calls may run at once. It may wait,
/// but not block its thread. If it takes longer than `AdminLimits.answerTimeout`, the client gets 503 and the task is
/// cancelled.
package typealias AdminRoute = @Sendable (_ path: String) async -> AdminResponse
