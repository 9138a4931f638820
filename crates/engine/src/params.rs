//! Where the engine meets the parameter language.

use akkaflow_model::message::Message;
pub(crate) use akkaflow_model::param::{
    ParamError, resolve_params, substitute, substitute_element,
};

/// What a node or an instance says that ends because of a parameter.
pub(crate) fn message(error: &ParamError) -> Message {
    match error {
        ParamError::Undefined { name } => Message::UndefinedParameter { name: name.clone() },
        other => Message::said(other.text()),
    }
}
