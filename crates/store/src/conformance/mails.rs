//! Mails: owed once, sent in turn, kept for a while.

use std::sync::Arc;

use akkaflow_model::element::{Child, Element, Span};
use akkaflow_model::mail::{
    DeliveryRow, DeliveryState, MailFacts, MailKey, MailKind, MailRow, Refusal, RetryFacts,
    StoredMail,
};
use akkaflow_model::record::Record;
use akkaflow_model::text::Text;

use super::Leader;
use super::samples::{NAME, NASTY, at, delivery, id, instance, mail, said};
use crate::contract::Store;
use crate::query::MailQuery;
use crate::trim::{Trim, Trimmed};

fn key(number: u128, kind: MailKind, node: &str, attempt: u32) -> MailKey {
    MailKey {
        instance: id(number),
        run: 1,
        kind,
        node: node.into(),
        attempt,
    }
}

fn records(stored: &StoredMail) -> [Record; 2] {
    [
        Record::Mail(Box::new(stored.mail.clone())),
        Record::Delivery(Box::new(stored.delivery.clone())),
    ]
}

fn stored(key: MailKey, born_at: i64, next_at: i64) -> StoredMail {
    StoredMail {
        mail: mail(key.clone(), born_at),
        delivery: delivery(key, next_at),
    }
}

/// Of every kind, with everything that a database might spoil; found by key, by instance, by state, and by turn.
pub async fn mails_round_trip_and_are_found(store: Arc<dyn Store>) {
    let mut leader = Leader::new(&store).await;
    let mut content = Element::new("p");
    content.children.push(Child::Text {
        text: NASTY.into(),
        span: Span::default(),
    });
    let ended = stored(key(1, MailKind::Ended, "", 0), 10, 40);
    let failing = StoredMail {
        mail: MailRow {
            facts: MailFacts::Retry(Box::new(RetryFacts {
                desc: Some(NASTY.to_owned()),
                type_name: "script".into(),
                message: said(NASTY),
                retry_times: u32::MAX,
                failures: u32::MAX,
                pause_ms: Some(u64::MAX),
            })),
            ..mail(key(1, MailKind::Failing, NAME, u32::MAX), 20)
        },
        delivery: DeliveryRow {
            state: DeliveryState::Dead,
            tries: u32::MAX,
            tried_at: Some(at(i64::MAX)),
            accepted: vec!["a@x".to_owned()],
            refused: vec![Refusal {
                receiver: NASTY.to_owned(),
                answer: NASTY.to_owned(),
                is_final: true,
            }],
            error: Some(Text::new(NASTY, "wrong")),
            user: NASTY.to_owned(),
            ..delivery(key(1, MailKind::Failing, NAME, u32::MAX), 5)
        },
    };
    let notice = StoredMail {
        mail: MailRow {
            facts: MailFacts::Notice {
                content: vec![content],
            },
            ..mail(key(2, MailKind::Notice, "n", 1), 30)
        },
        delivery: delivery(key(2, MailKind::Notice, "n", 1), 6),
    };
    let all = [&ended, &failing, &notice];
    leader
        .commit(all.into_iter().flat_map(records).collect())
        .await;
    for it in all {
        let found = store.mail(&it.mail.key).await.unwrap();
        assert_eq!(found.as_ref(), Some(it));
    }
    let unknown = key(1, MailKind::Failing, NAME, 1);
    assert_eq!(store.mail(&unknown).await.unwrap(), None);
    let listed = async |query| store.mails(&query).await.unwrap();
    let any = MailQuery::default;
    assert_eq!(
        listed(any()).await,
        [notice.clone(), failing.clone(), ended.clone()]
    );
    let limited = MailQuery { limit: 1, ..any() };
    assert_eq!(listed(limited).await, std::slice::from_ref(&notice));
    let of_instance = MailQuery {
        instance: Some(id(1)),
        states: vec![DeliveryState::Waiting, DeliveryState::Sent],
        ..any()
    };
    assert_eq!(listed(of_instance).await, std::slice::from_ref(&ended));
    assert_eq!(
        store.owed_mails(10).await.unwrap(),
        [notice.clone(), ended.clone()]
    );
    assert_eq!(
        store.owed_mails(1).await.unwrap(),
        std::slice::from_ref(&notice)
    );

    let sent = DeliveryRow {
        state: DeliveryState::Sent,
        tries: 1,
        ..notice.delivery.clone()
    };
    leader
        .commit(vec![Record::Delivery(Box::new(sent.clone()))])
        .await;
    assert_eq!(store.owed_mails(10).await.unwrap(), [ended]);
    let found = store.mail(&notice.mail.key).await.unwrap().unwrap();
    assert_eq!((found.mail, found.delivery), (notice.mail, sent));
}

/// A mail outlives the instance that it is about; old ones go in small parts.
pub async fn mails_go_with_their_age_only(store: Arc<dyn Store>) {
    let mut leader = Leader::new(&store).await;
    for number in 1..=5 {
        let mut batch = vec![Record::instance(instance(id(number), NAME))];
        let owed = stored(key(number, MailKind::Ended, "", 0), number as i64, 1);
        batch.extend(records(&owed));
        leader.commit(batch).await;
    }
    leader
        .commit(vec![
            Record::DeleteInstance { id: id(5) },
            Record::ExpireInstance { id: id(4) },
        ])
        .await;
    let numbers = async || {
        let found = store.mails(&MailQuery::default()).await.unwrap();
        let born = found.iter().map(|it| it.mail.born_at.as_millis());
        born.collect::<Vec<_>>()
    };
    assert_eq!(numbers().await, [5, 4, 3, 2, 1]);
    let trim = Trim {
        journal_before: at(0),
        requests_before: at(0),
        mails_before: at(4),
        limit: 2,
    };
    let mut total = Trimmed::default();
    loop {
        let trimmed = store.trim(trim).await.unwrap();
        assert!(trimmed.mails <= 2, "in small parts: {trimmed:?}");
        if trimmed.is_nothing() {
            break;
        }
        total += trimmed;
    }
    assert_eq!(total.mails, 3);
    assert_eq!(numbers().await, [5, 4]);
    assert_eq!(store.owed_mails(10).await.unwrap().len(), 2);
}
