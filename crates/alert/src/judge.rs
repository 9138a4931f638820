//! What a try means for the sending of a mail: done, tried again later, or given up.

use std::time::Duration;

use akkaflow_model::mail::{DeliveryRow, DeliveryState, MailRow, Refusal};
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;

/// From the first failed try to the second; doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 60);
/// A mail that could not be sent for so long is given up, and stays visible.
const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 3600);

/// What a mail server made of one try.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tried {
    /// Receivers for whom it has taken the mail.
    pub accepted: Vec<String>,
    /// Receivers whom it has refused.
    pub refused: Vec<Refusal>,
    /// What went wrong besides; nobody but those above was decided about.
    pub error: Option<Text>,
}

impl Tried {
    /// A try that came to nothing.
    pub fn failed(error: Text) -> Self {
        Self {
            error: Some(error),
            ..Self::default()
        }
    }
}

/// Who has still to get the mail.
pub fn missing(mail: &MailRow, delivery: &DeliveryRow) -> Vec<String> {
    let is_settled = |receiver: &String| {
        delivery.accepted.contains(receiver)
            || (delivery.refused.iter()).any(|it| it.is_final && it.receiver == *receiver)
    };
    let receivers = mail.receivers.iter();
    receivers.filter(|it| !is_settled(it)).cloned().collect()
}

/// The sending of a mail after a try that ended at `now`.
pub fn judge(
    mail: &MailRow,
    mut delivery: DeliveryRow,
    tried: Tried,
    now: Timestamp,
) -> DeliveryRow {
    delivery.tries = delivery.tries.saturating_add(1);
    delivery.tried_at = Some(now);
    delivery.error = tried.error;
    delivery.accepted.extend(tried.accepted);
    for refusal in tried.refused {
        delivery
            .refused
            .retain(|it| it.receiver != refusal.receiver);
        delivery.refused.push(refusal);
    }
    let accepted = &delivery.accepted;
    delivery
        .refused
        .retain(|it| !accepted.contains(&it.receiver));
    if missing(mail, &delivery).is_empty() {
        delivery.state = if delivery.refused.is_empty() {
            DeliveryState::Sent
        } else {
            DeliveryState::Dead
        };
    } else if now.since(delivery.since) >= GIVE_UP_AFTER {
        delivery.state = DeliveryState::Dead;
    } else {
        delivery.next_at = now.plus(pause(delivery.tries));
    }
    delivery
}

/// How long to wait after so many failed tries.
fn pause(tries: u32) -> Duration {
    let doublings = tries.saturating_sub(1).min(16);
    (FIRST_PAUSE * (1 << doublings)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use akkaflow_model::id::InstanceId;
    use akkaflow_model::mail::{MailFacts, MailKey};

    use super::*;

    const BORN: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn mail() -> MailRow {
        MailRow {
            key: MailKey::ended(InstanceId::from_parts(BORN, 7), 1),
            workflow: "daily".to_owned(),
            born_at: BORN,
            receivers: ["a@x", "b@x", "c@x"].map(str::to_owned).to_vec(),
            facts: MailFacts::Notice {
                content: Vec::new(),
            },
        }
    }

    fn fresh() -> DeliveryRow {
        DeliveryRow::new(mail().key, BORN)
    }

    fn accepted(receivers: &[&str]) -> Tried {
        Tried {
            accepted: receivers.iter().map(|&it| it.to_owned()).collect(),
            ..Tried::default()
        }
    }

    fn refusal(receiver: &str, is_final: bool) -> Refusal {
        Refusal {
            receiver: receiver.to_owned(),
            answer: "no".to_owned(),
            is_final,
        }
    }

    fn after(seconds: u64) -> Timestamp {
        BORN.plus(Duration::from_secs(seconds))
    }

    #[test]
    fn a_mail_that_all_have_is_sent() {
        let row = judge(&mail(), fresh(), accepted(&["a@x", "b@x", "c@x"]), after(1));
        assert_eq!((row.state, row.tries), (DeliveryState::Sent, 1));
        assert_eq!(row.tried_at, Some(after(1)));
    }

    #[test]
    fn who_is_refused_for_good_is_shown_and_the_others_keep_their_mail() {
        let tried = Tried {
            refused: vec![refusal("b@x", true)],
            ..accepted(&["a@x", "c@x"])
        };
        let row = judge(&mail(), fresh(), tried, after(1));
        assert_eq!(row.state, DeliveryState::Dead);
        assert_eq!(row.accepted, ["a@x", "c@x"]);
        assert_eq!(row.refused, [refusal("b@x", true)]);
    }

    #[test]
    fn who_is_refused_for_now_is_tried_again_alone() {
        let tried = Tried {
            refused: vec![refusal("b@x", false)],
            ..accepted(&["a@x", "c@x"])
        };
        let row = judge(&mail(), fresh(), tried, after(1));
        assert_eq!((row.state, row.next_at), (DeliveryState::Waiting, after(6)));
        assert_eq!(missing(&mail(), &row), ["b@x"]);
        let row = judge(&mail(), row, accepted(&["b@x"]), after(6));
        assert_eq!(row.state, DeliveryState::Sent);
        assert_eq!(row.refused, []);
    }

    #[test]
    fn pauses_double_up_to_half_an_hour_and_a_day_is_enough() {
        let down = || Tried::failed(Text::verbatim("down"));
        let (mut row, mut now, mut pauses) = (fresh(), BORN, Vec::new());
        while row.state == DeliveryState::Waiting {
            row = judge(&mail(), row, down(), now);
            pauses.push(row.next_at.since(now).as_secs());
            now = now.max(row.next_at);
        }
        assert_eq!(pauses[..10], [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1800]);
        assert_eq!(row.state, DeliveryState::Dead);
        assert_eq!(row.error, Some(Text::verbatim("down")));
        let age = row.tried_at.unwrap().since(BORN);
        assert!((GIVE_UP_AFTER..GIVE_UP_AFTER + LONGEST_PAUSE).contains(&age));
    }

    #[test]
    fn what_was_wrong_is_forgotten_once_it_goes_well() {
        let row = judge(
            &mail(),
            fresh(),
            Tried::failed(Text::verbatim("x")),
            after(1),
        );
        assert!(row.error.is_some());
        let row = judge(&mail(), row, accepted(&["a@x", "b@x", "c@x"]), after(6));
        assert_eq!((row.state, row.error), (DeliveryState::Sent, None));
    }
}
