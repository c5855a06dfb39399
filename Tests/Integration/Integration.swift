import Testing

/// The whole, on real parts: executables under their supervisor, a real CA, foreign clients. One case at a time, for each has four
/// services and a CA of its own.
@Suite(.serialized, .timeLimit(.minutes(5))) enum Integration {}
