import Glibc

/// A thread of our own for one role, for work that blocks or that must stay on one thread.
///
/// It has a name (`ps -T`, `perf`, `gdb` show it), blocks every signal (the lifecycle's thread takes them), and is
/// joined or detached.
///
/// `@unchecked Sendable`: `handle` is written once by `start`, before anyone can join.
package final class WorkerThread: @unchecked Sendable {
    private let handle: pthread_t

    private final class Start {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// - Parameter name: at most 15 bytes, the kernel's limit.
    package init(name: String, _ body: @escaping @Sendable () -> Void) {
        precondition(name.utf8.count <= 15, "thread name \(name) is longer than 15 bytes")
        var thread = pthread_t()
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        let code = pthread_create(
            &thread, nil,
            { context in
                let start = Unmanaged<Start>.fromOpaque(context!).takeRetainedValue()
                var all = sigset_t()
                sigfillset(&all)
                pthread_sigmask(SIG_BLOCK, &all, nil)
                setNameOfThisThread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        precondition(code == 0, "pthread_create: error \(code)")
        handle = thread
    }

    /// Waits for the body to return. Either this or `detach` is called, once.
    package func join() { pthread_join(handle, nil) }

    /// Lets the thread end by itself.
    package func detach() { pthread_detach(handle) }
}

/// The C function for this is hidden from Swift by a feature macro; the kernel offers the same as a file.
private func setNameOfThisThread(_ name: String) {
    guard let file = fopen("/proc/thread-self/comm", "we") else { return }
    fputs(name, file)
    fclose(file)
}
