//! Median, least, most.

/// What is left of several runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Summary {
    /// The middle one; the mean of both middle ones of an even number.
    pub(crate) median: f64,
    /// The least.
    pub(crate) least: f64,
    /// The most.
    pub(crate) most: f64,
}

/// Sums up at least one value.
pub(crate) fn summary(values: &[f64]) -> Summary {
    assert!(!values.is_empty(), "nothing was measured");
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    };
    Summary {
        median,
        least: sorted[0],
        most: sorted[sorted.len() - 1],
    }
}

#[cfg(test)]
mod tests {
    use super::{Summary, summary};

    #[test]
    fn the_middle_value_is_the_median() {
        assert_eq!(
            summary(&[3.0, 1.0, 2.0]),
            Summary {
                median: 2.0,
                least: 1.0,
                most: 3.0
            }
        );
    }

    #[test]
    fn an_even_number_of_runs_has_the_mean_of_the_middle_two() {
        assert_eq!(summary(&[4.0, 1.0, 2.0, 10.0]).median, 3.0);
    }
}
