import Linearizability

/// An operation that lasted from one moment to another, with its reply.
func op(
    _ call: Register.Call, _ reply: Register.Reply, _ invoked: UInt64, _ returned: UInt64, client: Int = 0
) -> Operation {
    Operation(client: client, call: call, outcome: .replied(reply), invoked: invoked, returned: returned)
}

func set(_ value: Register.Value, _ invoked: UInt64, _ returned: UInt64, client: Int = 0) -> Operation {
    op(.set(value), .done, invoked, returned, client: client)
}

func get(_ value: Register.Value?, _ invoked: UInt64, _ returned: UInt64, client: Int = 0) -> Operation {
    op(.get, .value(value), invoked, returned, client: client)
}

func add(_ delta: Int64, _ sum: Int64, _ invoked: UInt64, _ returned: UInt64, client: Int = 0) -> Operation {
    op(.increment(by: delta), .number(sum), invoked, returned, client: client)
}

func swap(
    _ expected: Register.Value?, _ new: Register.Value, _ held: Bool, _ invoked: UInt64, _ returned: UInt64,
    client: Int = 0
) -> Operation {
    op(.compareAndSet(expected: expected, new: new), .swapped(held), invoked, returned, client: client)
}

func unknown(_ call: Register.Call, _ invoked: UInt64, _ returned: UInt64, client: Int = 0) -> Operation {
    Operation(client: client, call: call, outcome: .unknown, invoked: invoked, returned: returned)
}

func notApplied(_ call: Register.Call, _ invoked: UInt64, _ returned: UInt64, client: Int = 0) -> Operation {
    Operation(client: client, call: call, outcome: .notApplied, invoked: invoked, returned: returned)
}
