/// The whole state at one moment, to be looked at while it goes on: see `NodeStore.stateMoment`. It costs nothing to make;
/// while it lives, nothing can be freed that was deleted or replaced since. Gone before the store is closed.
package struct StateMoment: Sendable {
    let generation: UInt64
    /// Of the store's engine.
    let moment: any Sendable
}
