import ByteCoding
import KeyValue
import NIOCore
import RESP

/// One client connection: finds commands in its bytes, hands writes and reads over, and answers in program order.
///
/// Order (architecture: effects and replies of a connection come in the order of its commands): replies wait in `slots`.
/// A read is executed only when everything before it is answered, so it sees the connection's own writes. A write that
/// follows a read which is not executed yet is not parsed before it is, so the read cannot see it.
///
/// Limits: at most `maxPipelinedCommands` slots, which hold `maxPipelinedBytes` and one command's at most; nothing is
/// parsed, and nothing more is read from the socket, while that much is owed or while the client does not take its
/// replies; reads are executed only as far as the replies fit.
///
/// Confined to its channel's event loop.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let server: ServerContext
    let loop: LoopContext
    let id: UInt64
    var client = ClientAttributes()
    var version = RESPVersion.resp2

    private var parser: RequestParser
    /// The command that came last: the next one is most likely the same.
    private var lastCommand: (name: PackedName, entry: Command.Entry)?
    private var unread = ByteBuffer()
    private var neededBytes = 1
    private(set) var slots = SlotQueue()
    /// Reads among the slots.
    private var pendingReads = 0
    private(set) var out = ReplyBuffer()
    private var lastPromise: UInt64 = 0
    private var memoryHits = MemoryHits()

    private var context: ChannelHandlerContext?
    /// The next command in `unread` must wait.
    private var isBlocked = false
    private var isReadHeld = false
    /// As the channel has told last: asked for each command, so not asked of the channel.
    private var isWritable = true
    /// Nothing is taken before everything owed is answered.
    private var holdsCommands = false
    private var isTouched = false
    private var flushesAtTurnEnd = false
    /// No further command is taken; the connection ends when all replies have left.
    private var isClosing = false
    private var isInputEnded = false
    /// The last reply is on its way.
    private var isFinishing = false

    init(server: ServerContext, loop: LoopContext, id: UInt64) {
        self.server = server
        self.loop = loop
        self.id = id
        parser = RequestParser(limits: server.limits.request)
    }

    // MARK: - Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        client.address = context.remoteAddress.map { "\($0.ipAddress ?? "?"):\($0.port ?? 0)" } ?? "?"
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var incoming = unwrapInboundIn(data)
        if isClosing { return }
        if unread.readableBytes == 0 { unread = incoming } else { unread.writeBuffer(&incoming) }
        takeCommands()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if out.buffer.readableBytes > 0, !flushesAtTurnEnd {
            flushesAtTurnEnd = true
            loop.flushAtTurnEnd(self, bytes: out.buffer.readableBytes)
        } else {
            continueIfBlocked()
        }
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if isBlocked || isClosing { isReadHeld = true } else { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if isWritable { pump() }
        context.fireChannelWritabilityChanged()
    }

    /// The client closed its sending side: what it sent before is still answered.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            isInputEnded = true
            finishIfDone()
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        isWritable = false
        isClosing = true
        slots.removeAll()
        pendingReads = 0
        unread.clear()
        server.connectionClosed(self)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset or broken pipe: the client is gone, nobody is left to tell.
        context.close(promise: nil)
    }

    // MARK: - Commands in

    /// Takes as many commands from the unread bytes as may be taken now.
    private func takeCommands() {
        isBlocked = false
        if slots.isEmpty { holdsCommands = false }
        let bytes = unread
        let consumed = bytes.withUnsafeReadableBytes { buffer -> Int in
            var offset = 0
            while !isClosing {
                guard mayTakeMore else {
                    isBlocked = true
                    break
                }
                let rest = UnsafeRawBufferPointer(rebasing: buffer[offset...])
                guard rest.count >= neededBytes else { break }
                guard let taken = takeCommand(from: rest) else { break }
                offset += taken
            }
            return offset
        }
        guard context != nil else { return }
        unread.moveReaderIndex(forwardBy: consumed)
        if unread.readableBytes == 0 { unread = ByteBuffer() } else { unread.discardReadBytes() }
        if !isBlocked, isReadHeld, !isClosing {
            isReadHeld = false
            context?.read()
        }
    }

    private var mayTakeMore: Bool {
        !(holdsCommands && !slots.isEmpty) && slots.count < server.limits.maxPipelinedCommands
            && slots.heldBytes < server.limits.maxPipelinedBytes
            && isWritable
            && out.buffer.readableBytes < server.limits.maxWaitingReplyBytes
    }

    /// Takes one command; answers how many bytes it had, or `nil` when nothing can be taken for now.
    private func takeCommand(from buffer: UnsafeRawBufferPointer) -> Int? {
        switch parser.parse(buffer) {
        case .needMore(let minimum):
            neededBytes = minimum
            return nil
        case .command(let consumed):
            neededBytes = 1
            if parser.argumentCount == 0 { return consumed }
            let isTaken = execute(ArgumentList(parser.arguments(in: buffer)))
            guard isTaken else {
                isBlocked = true
                return nil
            }
            return consumed
        case .jsonLine(_, let consumed):
            neededBytes = 1
            reply {
                $0.writeError("ERR the JSON line form is not supported by this version; use RESP or inline commands")
            }
            return consumed
        case .failure(let failure):
            server.metrics.protocolErrors.add(1)
            reply { $0.writeError(failure.message) }
            close()
            return nil
        }
    }

    /// The arguments of the command that is being taken, in place: valid only during `execute`.
    struct ArgumentList {
        private let all: RequestArguments
        /// Arguments that stand before this command's name.
        private var start = 0
        /// Under which the command is to be executed once.
        fileprivate private(set) var requestNumber: RequestNumber?

        fileprivate init(_ all: RequestArguments) { self.all = all }

        var count: Int { all.count - start }
        subscript(index: Int) -> UnsafeRawBufferPointer { all[start + index] }

        /// The command whose name is the argument `index`.
        func command(at index: Int, of request: RequestNumber) -> ArgumentList {
            var command = self
            command.start += index
            command.requestNumber = request
            return command
        }

        /// For texts that are shown: option words, names, addresses.
        func text(_ index: Int) -> String { String(decoding: self[index], as: UTF8.self) }
    }

    /// The command of that name, `nil` if there is none.
    func command(named name: PackedName) -> Command.Entry? {
        if let lastCommand, lastCommand.name == name { return lastCommand.entry }
        guard let entry = Command.named(name) else { return nil }
        lastCommand = (name, entry)
        return entry
    }

    // MARK: - What commands do

    /// Answers at once, behind whatever is owed before.
    func reply(_ write: (inout ReplyBuffer) -> Void) {
        if slots.isEmpty {
            write(&out)
        } else {
            var buffer = ReplyBuffer()
            write(&buffer)
            slots.append(.reply(buffer))
        }
    }

    /// Whether a read is owed: a write must then wait (`execute` answers false and changes nothing).
    var mustFinishReads: Bool { pendingReads > 0 }

    /// Hands one write over, under the number of a session if `arguments` come with one; its outcome is the reply.
    func write(_ arguments: ArgumentList, _ encode: (inout SegmentWriter) -> Void) {
        guard let request = arguments.requestNumber else {
            let write = loop.addWrite(of: self, encode)
            return slots.appendWrite(ticket: write.ticket, bytes: write.bytes)
        }
        let write = loop.addWrite(of: self) { $0.once(request.session, sequence: request.sequence, encode) }
        slots.appendWrite(ticket: write.ticket, bytes: write.bytes)
    }

    /// Hands over a write whose reply may be as long as a value: no further command is taken before it is answered, so
    /// that a connection is owed one such reply at a time.
    func writeAlone(_ arguments: ArgumentList, _ encode: (inout SegmentWriter) -> Void) {
        write(arguments, encode)
        holdsCommands = true
    }

    /// Answers a GET: at once when nothing has to be waited for, else later.
    func get(_ key: UnsafeRawBufferPointer) {
        guard slots.isEmpty, loop.backend.readsAreLocal else { return awaitRead(.get(Bytes(copying: key))) }
        if answerGet(key) { return }
        // Whatever is read later holds all that was acknowledged before now.
        pendingReads += 1
        slots.append(.running)
        loop.readCold(.get(Bytes(copying: key)), for: self)
    }

    /// Answers a read with its own keys later, in its turn.
    func awaitRead(_ read: ReadCommand) {
        pendingReads += 1
        slots.append(.read(ticket: loop.addRead(of: self), read))
    }

    /// Owes a reply that comes later, from whichever thread: the closure that this returns delivers it. Call it once.
    func promiseReply() -> @Sendable (@escaping @Sendable (inout ReplyBuffer) -> Void) -> Void {
        lastPromise += 1
        let promise = lastPromise
        slots.append(.promised(promise))
        let (bound, eventLoop) = (NIOLoopBound(self, eventLoop: loop.eventLoop), loop.eventLoop)
        return { write in eventLoop.execute { bound.value.keep(promise, write) } }
    }

    private func keep(_ promise: UInt64, _ write: (inout ReplyBuffer) -> Void) {
        let position = slots.firstIndex { if case .promised(promise) = $0 { true } else { false } }
        guard context != nil, let position else { return }
        var buffer = ReplyBuffer()
        write(&buffer)
        slots.replace(at: position, with: .reply(buffer))
        pump()
    }

    /// No further command is taken; the connection ends when all replies have left.
    func close() {
        isClosing = true
        finishIfDone()
    }

    // MARK: - Replies out

    /// An outcome for the connection's first write under `ticket`. Answers whether `pump` must be called (once).
    func writeCompleted(ticket: UInt64, _ result: Result<Outcome, WriteFailure>) -> Bool {
        guard context != nil else { return false }
        if slots.takeFirstWrite(ticket: ticket) {
            encode(result, into: &out)
        } else {
            // Rare: a later ticket failed before an earlier one was settled.
            let position = slots.firstIndex { if case .write(ticket, _) = $0 { true } else { false } }
            guard let position else { return false }
            var buffer = ReplyBuffer()
            encode(result, into: &buffer)
            slots.replace(at: position, with: .reply(buffer))
        }
        defer { isTouched = true }
        return !isTouched
    }

    /// The reads under this ticket will not get their moment.
    func readsFailed(through ticket: UInt64, _ failure: ReadFailure) {
        for position in slots.indices {
            guard case .read(let owed, _) = slots[position], owed <= ticket else { continue }
            var buffer = ReplyBuffer()
            buffer.writeError(server.text(of: failure))
            slots.replace(at: position, with: .reply(buffer))
            pendingReads -= 1
        }
    }

    /// Moves on: executes the reads whose moment has come, sends what is ready, and takes further commands.
    func pump() {
        isTouched = false
        guard context != nil else { return }
        advance()
        flush()
        if isBlocked, mayTakeMore, !isClosing {
            takeCommands()
            flush()
            continueIfBlocked()
        }
        // Stopped by the output's limit, which the flush has emptied.
        if mayAdvance { scheduleAdvance() }
        finishIfDone()
    }

    private var mayAdvance: Bool {
        switch slots.first {
        case .reply: isWritable
        case .read(let ticket, _): ticket <= loop.readyThrough && isWritable
        case .write, .running, .promised, nil: false
        }
    }

    private func scheduleAdvance() {
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
        loop.eventLoop.execute { bound.value.pump() }
    }

    private func advance() {
        while let slot = slots.first, out.buffer.readableBytes < server.limits.maxWaitingReplyBytes {
            switch slot {
            case .reply(let buffer):
                guard isWritable else { return }
                slots.removeFirst()
                buffer.buffer.withUnsafeReadableBytes { out.write($0) }
            case .write, .running, .promised:
                return
            case .read(let ticket, let read):
                guard ticket <= loop.readyThrough, isWritable else { return }
                guard answer(read) else {
                    slots.replaceFirst(with: .running)
                    loop.readCold(read, for: self)
                    return
                }
                slots.removeFirst()
                pendingReads -= 1
            }
        }
    }

    /// What the commands of a turn were answered leaves (`LoopContext.flushAtTurnEnd`).
    func turnEnded() {
        flushesAtTurnEnd = false
        flush()
        continueIfBlocked()
    }

    private func flush() {
        guard out.buffer.readableBytes > 0, let context else { return }
        // Emptied first: a write that the kernel takes at once calls `channelWritabilityChanged`, and so this, again.
        let full = out.buffer
        out.buffer = context.channel.allocator.buffer(capacity: 512)
        context.writeAndFlush(wrapOutboundOut(full), promise: nil)
    }

    /// What was full may be empty now, and no event would tell.
    private func continueIfBlocked() {
        if isBlocked, mayTakeMore, pendingReads == 0 { scheduleAdvance() }
    }

    private func finishIfDone() {
        guard isClosing || (isInputEnded && !isBlocked), slots.isEmpty, !isFinishing, let context else { return }
        isFinishing = true
        // A close throws away what the kernel has not taken yet: it must wait for the last byte.
        let last = out.buffer
        out.buffer = ByteBuffer()
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(last)).whenComplete { _ in channel.close(promise: nil) }
    }

    // MARK: - Executing reads

    /// Executes a read from memory; false: the disk is needed.
    private func answer(_ read: ReadCommand) -> Bool {
        if case .get(let key) = read { return key.withUnsafeBytes { answerGet($0) } }
        do throws(StateStoreError) {
            encode(.success(try loop.reader.execute(read, tier: .memory)), into: &out)
            return true
        } catch {
            return answerFailure(error)
        }
    }

    private func answerGet(_ key: UnsafeRawBufferPointer) -> Bool {
        guard memoryHits.isWorthALook() else { return false }
        do throws(StateStoreError) {
            try loop.reader.get(key, tier: .memory) { value in
                if let value { out.writeBulk(value) } else { out.writeNull(version) }
            }
            memoryHits.note(isHit: true)
            return true
        } catch {
            memoryHits.note(isHit: false)
            return answerFailure(error)
        }
    }

    /// A store that only would have to wait is no failure; any other error ends the node, so nothing is answered.
    private func answerFailure(_ error: StateStoreError) -> Bool {
        if error.kind == .wouldBlock { return false }
        loop.backend.storeFailed(error)
        out.writeError("ERR this node's store failed; the node stops")
        return true
    }

    /// The disk has answered, or failed.
    func coldReadDone(_ result: Result<Outcome, StateStoreError>) {
        guard context != nil, case .running? = slots.first else { return }
        slots.removeFirst()
        pendingReads -= 1
        switch result {
        case .success(let outcome): encode(.success(outcome), into: &out)
        case .failure: out.writeError("ERR this node's store failed; the node stops")
        }
        pump()
    }

    // MARK: - Encoding

    private func encode(_ result: Result<Outcome, WriteFailure>, into sink: inout ReplyBuffer) {
        switch result {
        case .success(let outcome): OutcomeEncoder.encode(outcome, into: &sink, version)
        case .failure(let failure): sink.writeError(server.text(of: failure))
        }
    }
}

/// What CLIENT SETNAME, SETINFO and HELLO tell, and CLIENT INFO repeats.
struct ClientAttributes {
    var name = ""
    var libraryName = ""
    var libraryVersion = ""
    var address = "?"
}
