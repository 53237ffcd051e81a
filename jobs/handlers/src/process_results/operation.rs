//! The end of an operation, as it goes into the log.

use domain::{Source, Timestamp};
use records::operations::{self, End, Ended, Operation, What};

use crate::{
    Context, JobError,
    report::{OperationEnd, OperationVerdict, hex},
};

/// Stores how an operation ended. The first end that a broker told stands: a batch may be processed twice.
pub(super) async fn end(
    cx: &Context,
    about: &Source,
    id: &str,
    at: Timestamp,
    told: &OperationEnd,
) -> Result<(), JobError> {
    let table = cx.table.as_ref();
    let (done, said) = match told.verdict {
        OperationVerdict::Done => (true, told.said.clone()),
        OperationVerdict::Failed => (false, told.said.clone()),
        OperationVerdict::Unproven => match operations::get(table, about, id).await? {
            Some(operation) => proven(cx, &operation.value, told).await?,
            None => (false, told.said.clone()),
        },
    };
    let reply = (!told.reply.is_empty()).then(|| hex(&told.reply));
    let stored = operations::end(table, about, id, &Ended { at, done, said, reply, supposed: false }).await?;
    if stored == End::Unknown {
        tracing::warn!(operation.id = id, operation.about = %about, "the end of an operation that nobody began");
    } else {
        tracing::info!(operation.id = id, operation.about = %about, done, "an operation ended");
    }
    Ok(())
}

/// What the protocol's own script says of a reply.
async fn proven(cx: &Context, operation: &Operation, told: &OperationEnd) -> Result<(bool, String), JobError> {
    let What::Device { pid, protocol, content, .. } = &operation.what else {
        return Ok((false, told.said.clone()));
    };
    let Some(model) = cx.model(protocol).await? else {
        return Ok((false, "the protocol that could prove the reply is gone".to_owned()));
    };
    Ok(match model.protocol.believes(*pid, content, &told.reply) {
        Ok(()) => (true, told.said.clone()),
        Err(why) => (false, why.to_string()),
    })
}
