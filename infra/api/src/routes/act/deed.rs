//! What a link does.

use jobs::links::Action;
use records::{alarms::Alarm, users::User};

use crate::{
    error::ApiError,
    routes::alarms::{Remark, take_on},
    site::Site,
};

/// What is said of something that was done by a link.
const BY_LINK: &str = "by link";

/// What a link is about.
pub(super) struct Target {
    /// The alarms that its user may see, one at least.
    pub alarms: Vec<Alarm>,
    /// The notice that it came with.
    #[expect(dead_code, reason = "what silences by a link says which notice that was")]
    pub notice: String,
}

/// Does what the link is for, in its user's name. To do it twice changes nothing.
pub(super) async fn act(site: &Site, action: Action, user: &User, target: &Target) -> Result<(), ApiError> {
    match action {
        Action::Acknowledge => {
            let remark = Remark { note: Some(BY_LINK.to_owned()), ..Remark::default() };
            for alarm in &target.alarms {
                take_on(site, user, &alarm.id, &remark).await?;
            }
            Ok(())
        }
        // No letter offers these yet (Action::OFFERED).
        Action::SnoozeHour | Action::SnoozeShift | Action::Silence => Err(engine_http::Problem::internal().into()),
    }
}
