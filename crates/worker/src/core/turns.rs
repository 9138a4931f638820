//! How many attempts of this worker use a db-link at a time, where the link bounds that.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use akkaflow_model::db_links::DbLink;
use akkaflow_model::text::Text;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// The links in use, by name and bound: one that is changed begins anew, and what runs goes on.
#[derive(Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<Places>>);

/// By link and how many may use it.
type Places = BTreeMap<(String, usize), Arc<Semaphore>>;

/// Held by an attempt while it may use its links.
pub(crate) type Turn = Vec<OwnedSemaphorePermit>;

impl Turns {
    /// Waits until an attempt may use all its links, and says so where it must wait; `None` once it is to stop. They are taken in
    /// the order of their names, so that no two attempts wait for each other.
    pub(crate) async fn wait(
        &self,
        links: &BTreeMap<String, DbLink>,
        stop: &CancellationToken,
        say: impl Fn(Text),
    ) -> Option<Turn> {
        let mut turn = Vec::new();
        for (name, link) in links {
            // Whoever connects says what is wrong with it.
            let Ok(Some(most)) = link.max_attempts() else {
                continue;
            };
            let places = self.places(name, most);
            let permit = match Arc::clone(&places).try_acquire_owned() {
                Ok(permit) => permit,
                Err(_) => {
                    say(full(name, most));
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => return None,
                        permit = places.acquire_owned() => permit.ok()?,
                    }
                }
            };
            turn.push(permit);
        }
        Some(turn)
    }

    fn places(&self, name: &str, most: usize) -> Arc<Semaphore> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let places = known.entry((name.to_owned(), most));
        let most = most.min(Semaphore::MAX_PERMITS);
        Arc::clone(places.or_insert_with(|| Arc::new(Semaphore::new(most))))
    }
}

fn full(name: &str, most: usize) -> Text {
    Text::new(
        format!("等待数据库连接[{name}]：本Worker上已有{most}个尝试在使用（max-attempts）"),
        format!("waits for db-link `{name}`: {most} attempts of this worker use it (max-attempts)"),
    )
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::pin::pin;

    use akkaflow_model::db_links::{DbKind, Secret};
    use futures::poll;

    use super::*;

    fn links(said: &[(&str, Option<&str>)]) -> BTreeMap<String, DbLink> {
        let link = |(name, most): &(&str, Option<&str>)| DbLink {
            name: (*name).to_owned(),
            kind: DbKind::Sqlite,
            jdbc_url: "jdbc:sqlite:a.db".to_owned(),
            username: String::new(),
            password: Secret::new(String::new()),
            desc: None,
            properties: most
                .iter()
                .map(|most| (DbLink::MAX_ATTEMPTS.to_owned(), (*most).to_owned()))
                .collect(),
        };
        let named = said.iter().map(|said| (said.0.to_owned(), link(said)));
        named.collect()
    }

    #[tokio::test]
    async fn no_more_attempts_use_a_link_than_it_allows() {
        let (turns, stop) = (Turns::default(), CancellationToken::new());
        let both = links(&[("dw", Some("1")), ("free", None)]);
        let said = RefCell::new(Vec::new());
        let say = |text: Text| said.borrow_mut().push(text.en);
        let first = turns.wait(&both, &stop, say).await.unwrap();
        let mut second = pin!(turns.wait(&both, &stop, say));
        assert!(poll!(&mut second).is_pending());
        assert_eq!(said.borrow().len(), 1);
        assert!(said.borrow()[0].contains("`dw`: 1 attempts"), "{said:?}");
        let free = links(&[("free", None), ("wrong", Some("0"))]);
        assert!(turns.wait(&free, &stop, say).await.unwrap().is_empty());
        drop(first);
        assert_eq!(second.await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn whoever_is_to_stop_waits_no_longer() {
        let (turns, stop) = (Turns::default(), CancellationToken::new());
        let one = links(&[("dw", Some("1"))]);
        let _held = turns.wait(&one, &stop, drop).await;
        let mut second = pin!(turns.wait(&one, &stop, drop));
        assert!(poll!(&mut second).is_pending());
        stop.cancel();
        assert!(second.await.is_none());
    }
}
