//! A forecast in the words of the API.

use akkaflow_api::{Forecast, ForecastHour, ForecastInstance, ForecastStuck, Reason};
use akkaflow_engine::{Cut, Forecast as Foreseen, Planned, Reason as Why, Stuck};
use akkaflow_model::text::Lang;

use super::{GUESS, LATE_AFTER};

/// The same, with at most `limit` of each list.
pub(super) fn of(foreseen: Foreseen, workers: u32, limit: usize, lang: Lang) -> Forecast {
    let late: Vec<&Planned> = foreseen.instances.iter().filter(|it| it.is_late).collect();
    Forecast {
        from: foreseen.from.into(),
        until: foreseen.until.into(),
        cut: foreseen.cut.map(|cut| match cut {
            Cut::Instances => "instances".to_owned(),
            Cut::Time => "time".to_owned(),
        }),
        workers,
        slots: foreseen.slots,
        guess_seconds: GUESS.as_secs(),
        late_after_seconds: LATE_AFTER.as_secs(),
        instances_in_all: foreseen.instances.len() as u64,
        late_in_all: late.len() as u64,
        stuck_in_all: foreseen.stuck.len() as u64,
        late: late
            .iter()
            .take(limit)
            .map(|it| instance(it, lang))
            .collect(),
        hours: foreseen
            .hours
            .iter()
            .map(|hour| ForecastHour {
                at: hour.at.into(),
                started: hour.started,
                busy: hour.busy,
            })
            .collect(),
        instances: foreseen
            .instances
            .iter()
            .take(limit)
            .map(|it| instance(it, lang))
            .collect(),
        stuck: foreseen
            .stuck
            .into_iter()
            .take(limit)
            .map(|it| stuck(it, lang))
            .collect(),
    }
}

fn instance(planned: &Planned, lang: Lang) -> ForecastInstance {
    ForecastInstance {
        id: planned.id,
        workflow: planned.workflow.clone(),
        date: planned.date.map(|date| date.to_string()),
        trigger: planned.trigger,
        created: planned.created_at.into(),
        start: planned.start.map(Into::into),
        end: planned.end.map(Into::into),
        deadline: planned.deadline.map(Into::into),
        why: planned.why.as_ref().map(|why| reason(why, lang)),
        is_guess: planned.is_guess,
    }
}

fn stuck(stuck: Stuck, lang: Lang) -> ForecastStuck {
    ForecastStuck {
        workflow: stuck.workflow,
        instance: stuck.instance,
        since: stuck.since.map(Into::into),
        reasons: stuck.reasons.iter().map(|why| reason(why, lang)).collect(),
    }
}

fn reason(why: &Why, lang: Lang) -> Reason {
    Reason {
        code: why.code.to_owned(),
        object: why.object.clone(),
        since: why.since.map(Into::into),
        text: why.text.get(lang).to_owned(),
    }
}
