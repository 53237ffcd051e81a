//! What an invocation logs tells which it was.

use std::task::{Context, Poll};

use lambda_runtime::{
    LambdaInvocation,
    tower::{Layer, Service},
};
use tracing::{Instrument, error_span, instrument::Instrumented};

/// Runs each invocation in a span that names its request: the reading of its event, the jobs, and what becomes of them. The
/// span is of the highest level, so that whatever is logged carries it.
pub(crate) struct RequestLayer;

impl<S> Layer<S> for RequestLayer {
    type Service = InRequest<S>;

    fn layer(&self, inner: S) -> Self::Service {
        InRequest(inner)
    }
}

/// See [`RequestLayer`].
pub(crate) struct InRequest<S>(S);

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for InRequest<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = Instrumented<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let span = error_span!("invocation", request.id = invocation.context.request_id);
        // The event is read in here already.
        let invoked = span.in_scope(|| self.0.call(invocation));
        invoked.instrument(span)
    }
}
