//! Rows of one table that are written together: the last of each key, at the place of its first writing.

use std::collections::HashMap;
use std::hash::Hash;

use crate::sql::plan::{Limits, Plan, Shape, Target};
use crate::sql::table::{Number, Table};
use crate::sql::value::Value;

/// Rows by key.
#[derive(Debug)]
pub(crate) struct Group<'a, K, T> {
    rows: Vec<(i64, &'a T)>,
    places: HashMap<K, usize>,
}

impl<K, T> Default for Group<'_, K, T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            places: HashMap::new(),
        }
    }
}

impl<'a, K: Eq + Hash, T: Table> Group<'a, K, T> {
    /// Adds a row or replaces the one with its key. `is_new_run` says of the earlier row whether the order of writing
    /// starts anew.
    pub(crate) fn put(
        &mut self,
        key: K,
        number: i64,
        row: &'a T,
        is_new_run: impl FnOnce(&T) -> bool,
    ) {
        if let Some(&place) = self.places.get(&key) {
            let (first, earlier) = self.rows[place];
            let number = if is_new_run(earlier) { number } else { first };
            self.rows[place] = (number, row);
        } else {
            self.places.insert(key, self.rows.len());
            self.rows.push((number, row));
        }
    }

    /// Whether nothing was put.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds the statements to the plan.
    pub(crate) fn flush(self, target: Target, plan: &mut Plan<'a>, limits: Limits) {
        let width = T::LAYOUT.width();
        let mut values = Vec::with_capacity(self.rows.len() * width);
        for (number, row) in self.rows {
            row.write(&mut values);
            if T::LAYOUT.number != Number::Absent {
                values.push(Value::Int(number));
            }
        }
        plan.add(values, width, limits, |rows| Shape::Upsert {
            table: target,
            rows,
        });
    }
}
