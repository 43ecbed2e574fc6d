//! One file a command: arguments and wiring.
