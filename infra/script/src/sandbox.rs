//! One `QuickJS` engine and the functions of one protocol in it.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use domain::script::{Answer, Argument, BadScript, FunctionId, Sandbox, ScriptFailed};
use rquickjs::{
    CatchResultExt, CaughtError, Context, Ctx, Function, Runtime, Value,
    context::{EvalOptions, intrinsic},
    function::Args,
};

/// The most memory that the programs of one protocol may hold, in bytes.
pub const MOST_MEMORY: usize = 4 * 1024 * 1024;
/// The most stack that a call may need, in bytes.
pub const MOST_STACK: usize = 192 * 1024;
/// How often a call may be interrupted before it is stopped.
pub const MOST_INTERRUPTS: u32 = 50;

/// What programs may use besides the language itself: no dates, no promises, nothing of the machine.
type Library = (
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::MapSet,
    intrinsic::TypedArrays,
);

/// The most characters of an error's text that are told on.
const MOST_TOLD: usize = 200;

/// The functions that were taken in, by their ids. They lie in the engine itself, where programs cannot reach them.
type Functions<'js> = RefCell<Vec<Function<'js>>>;

/// An engine.
pub(crate) struct QuickJs {
    context: Context,
    interrupts_left: Arc<AtomicU32>,
}

impl QuickJs {
    pub(crate) fn new() -> Result<Self, BadScript> {
        let failed = |error: rquickjs::Error| BadScript(format!("no engine for it could be made: {error}"));
        let runtime = Runtime::new().map_err(failed)?;
        runtime.set_memory_limit(MOST_MEMORY);
        runtime.set_max_stack_size(MOST_STACK);
        let interrupts_left = Arc::new(AtomicU32::new(0));
        let left = Arc::clone(&interrupts_left);
        runtime.set_interrupt_handler(Some(Box::new(move || {
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
        })));
        let context = Context::custom::<Library>(&runtime).map_err(failed)?;
        interrupts_left.store(MOST_INTERRUPTS, Ordering::Relaxed);
        context.with(|cx| {
            cx.eval::<(), _>("delete Math.random;").map_err(failed)?;
            let stored = cx.store_userdata::<Functions<'_>>(RefCell::default());
            stored.map(drop).map_err(|_| BadScript("no engine for it could be made: it is in use".to_owned()))
        })?;
        Ok(Self { context, interrupts_left })
    }
}

impl Sandbox for QuickJs {
    fn define(&self, source: &str) -> Result<FunctionId, BadScript> {
        self.context.with(|cx| {
            self.interrupts_left.store(MOST_INTERRUPTS, Ordering::Relaxed);
            let mut options = EvalOptions::default();
            // Programs that exist were written without it.
            options.strict = false;
            let value: Value<'_> = cx
                .eval_with_options(format!("(\n{source}\n)"), options)
                .catch(&cx)
                .map_err(|caught| BadScript(told(&caught)))?;
            let function = value.into_function().ok_or_else(|| BadScript("it is not a function".to_owned()))?;
            let functions = cx.userdata::<Functions<'_>>().ok_or_else(|| BadScript("its engine is gone".to_owned()))?;
            let mut functions = functions.borrow_mut();
            functions.push(function);
            Ok(FunctionId(functions.len() - 1))
        })
    }

    fn call(&self, function: FunctionId, arguments: &[Argument<'_>]) -> Result<Answer, ScriptFailed> {
        self.context.with(|cx| {
            let functions = cx.userdata::<Functions<'_>>();
            let function = functions.and_then(|functions| functions.borrow().get(function.0).cloned());
            let function = function.ok_or_else(|| ScriptFailed("there is no such function".to_owned()))?;
            self.interrupts_left.store(MOST_INTERRUPTS, Ordering::Relaxed);
            let answer = run(&cx, &function, arguments);
            answer.catch(&cx).map_err(|caught| ScriptFailed(told(&caught)))
        })
    }
}

fn run<'js>(cx: &Ctx<'js>, function: &Function<'js>, arguments: &[Argument<'_>]) -> rquickjs::Result<Answer> {
    let mut given = Args::new(cx.clone(), arguments.len());
    for argument in arguments {
        match *argument {
            Argument::Number(number) => given.push_arg(number)?,
            Argument::Text(text) => given.push_arg(text)?,
            Argument::Bytes(bytes) => given.push_arg(bytes.iter().map(|byte| i32::from(*byte)).collect::<Vec<_>>())?,
        }
    }
    let answer: Value<'js> = function.call_arg(given)?;
    Ok(if let Some(number) = answer.as_number() {
        Answer::Number(number)
    } else if let Some(boolean) = answer.as_bool() {
        Answer::Boolean(boolean)
    } else if let Some(text) = answer.as_string() {
        Answer::Text(text.to_string()?)
    } else if answer.is_undefined() || answer.is_null() {
        Answer::Nothing
    } else {
        Answer::Other
    })
}

/// What went wrong, in one line.
fn told(caught: &CaughtError<'_>) -> String {
    let text = match caught {
        CaughtError::Exception(exception) => exception.message().unwrap_or_else(|| "it throws".to_owned()),
        CaughtError::Value(value) => value
            .as_string()
            .and_then(|text| text.to_string().ok())
            .map_or_else(|| "it throws something that is no error".to_owned(), |text| format!("it throws {text:?}")),
        CaughtError::Error(error) => error.to_string(),
    };
    let line: String = text.lines().next().unwrap_or_default().chars().take(MOST_TOLD).collect();
    if line.is_empty() { "it fails without a word".to_owned() } else { line }
}
