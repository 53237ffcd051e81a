//! A job that an event asks for, and its end as Lambda is told of it.

use jobs::{Job, Verdict, execute};
use lambda_runtime::Diagnostic;

use crate::Function;

impl Function {
    /// Runs a job. If it is not done, that is the invocation's error, which the runtime logs: whoever invoked the function
    /// tries again, and keeps the event as a dead letter in the end. Lambda knows no "never", so that is tried again as well.
    pub async fn perform<J: Job>(&self, job: &J) -> Result<(), Diagnostic> {
        let (verdict, why) = match execute::<J>(&self.cx, &job.message().body).await {
            Verdict::Done => return Ok(()),
            Verdict::Again { why, .. } => ("again", why),
            Verdict::Never { why } => ("never", why),
        };
        let error_type = format!("{}.{verdict}", J::NAME);
        Err(Diagnostic { error_type, error_message: format!("job {} was not done: {why}", job.key()) })
    }
}
