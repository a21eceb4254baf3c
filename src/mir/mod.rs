//! Stack code: IR out of SSA in, operations over the AVM's stack out.

pub mod model;
