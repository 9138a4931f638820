//! States of instances, nodes and attempts, with the numbers that akkaflow 2.12 stores.

use serde::{Deserialize, Serialize};

use crate::text::Lang;

macro_rules! states {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $code:literal, $word:literal, $zh:literal, $terminal:literal;)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vmeta])* $variant = $code,)* }

        impl $name {
            /// All states, in the order of their codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The number that the database and the legacy API hold.
            pub const fn code(self) -> u8 { self as u8 }

            /// The state with this number.
            pub fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }

            /// The lower-case English word of the API.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $word,)* } }

            /// The state whose API word is `word`.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }

            /// The word that people read.
            pub const fn label(self, lang: Lang) -> &'static str {
                match (self, lang) { $((Self::$variant, Lang::Zh) => $zh, (Self::$variant, Lang::En) => $word,)* }
            }

            /// Whether nothing follows this state by itself.
            pub const fn is_terminal(self) -> bool { match self { $(Self::$variant => $terminal,)* } }
        }
    };
}

states! {
    /// The state of one run of a workflow.
    InstanceState {
        /// Created, waiting for the workflow's instance limit.
        Ready = 0, "ready", "就绪", false;
        /// Some node may run.
        Running = 1, "running", "运行中", false;
        /// Held by a person or by quarantine; starts nothing.
        Suspended = 2, "suspended", "挂起", false;
        /// Reached its end.
        Succeeded = 3, "succeeded", "成功", true;
        /// A node failed and nothing handled it.
        Failed = 4, "failed", "失败", true;
        /// Ended by a person or by a kill node.
        Killed = 5, "killed", "杀死", true;
    }
}

states! {
    /// The state of a node in one run of an instance. A node that nothing has reached yet has no row and no state.
    NodeState {
        /// Reached; waits for a worker or for its next retry's turn in the queue.
        Ready = 0, "ready", "就绪", false;
        /// An attempt is assigned, or the node waits out its retry interval.
        Running = 1, "running", "运行中", false;
        /// Held by a person.
        Suspended = 2, "suspended", "挂起", false;
        /// Done (or ignored).
        Succeeded = 3, "succeeded", "成功", true;
        /// Failed for good.
        Failed = 4, "failed", "失败", true;
        /// Ended because its instance ended.
        Killed = 5, "killed", "杀死", true;
    }
}

states! {
    /// The state of one attempt.
    AttemptState {
        /// Durable at the master, not yet known to be accepted by the worker.
        Assigned = 0, "assigned", "已分配", false;
        /// The worker has accepted it.
        Running = 1, "running", "运行中", false;
        /// The action succeeded.
        Succeeded = 3, "succeeded", "成功", true;
        /// The action failed.
        Failed = 4, "failed", "失败", true;
        /// Cancelled on request; its processes are proven gone.
        Killed = 5, "killed", "杀死", true;
        /// Proven never to have started, or dead with its worker. Consumes no retry.
        Lost = 6, "lost", "丢失", true;
    }
}
