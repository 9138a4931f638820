//! Values as Chinese input writes them: `３`, `true，`, `两次`.

/// The same in half-width characters, without the quotes around it.
pub(crate) fn half_width(text: &str) -> String {
    let plain: String = text.chars().filter_map(half).collect();
    plain.trim().to_owned()
}

/// The same of an expression, in which quotes mean something.
pub(crate) fn half_width_expression(text: &str) -> String {
    let plain = text.chars().filter_map(|character| match character {
        '‘' | '’' | '＇' | '“' | '”' | '＂' => Some('\''),
        other => half(other),
    });
    plain.collect::<String>().trim().to_owned()
}

fn half(character: char) -> Option<char> {
    match character {
        '“' | '”' | '‘' | '’' | '＂' | '＇' => None,
        '\u{3000}' => Some(' '),
        '。' => Some('.'),
        '、' => Some(','),
        '！'..='～' => char::from_u32(u32::from(character) - 0xFEE0),
        _ => Some(character),
    }
}

/// The number that a Chinese numeral up to 99 writes, with or without what it counts: `三`, `两次`, `十五`, `二十`.
pub(super) fn numeral(text: &str) -> Option<String> {
    let text = text.trim_end_matches(['次', '个', '秒', '遍', '份', '天']);
    let digit = |text: &str| match text {
        "零" | "〇" => Some(0),
        "一" => Some(1),
        "二" | "两" => Some(2),
        "三" => Some(3),
        "四" => Some(4),
        "五" => Some(5),
        "六" => Some(6),
        "七" => Some(7),
        "八" => Some(8),
        "九" => Some(9),
        _ => None,
    };
    let number: u32 = match text.split_once('十') {
        None => digit(text)?,
        Some((tens, ones)) => {
            let tens = if tens.is_empty() { 1 } else { digit(tens)? };
            let ones = if ones.is_empty() { 0 } else { digit(ones)? };
            10 * tens + ones
        }
    };
    Some(number.to_string())
}

#[cfg(test)]
mod tests {
    use super::{half_width, half_width_expression, numeral};

    #[test]
    fn an_expression_keeps_its_quotes() {
        let plain = half_width_expression("param.a ＝＝ “１”　&& param.b == ‘full’");
        assert_eq!(plain, "param.a == '1' && param.b == 'full'");
    }

    #[test]
    fn wide_characters_have_narrow_ones() {
        for (wide, narrow) in [
            ("３", "3"),
            ("“true”", "true"),
            ("Ｗ_ＦＡＩＬＥＤ", "W_FAILED"),
            ("１．５", "1.5"),
            ("０８：３０", "08:30"),
            ("中文", "中文"),
        ] {
            assert_eq!(half_width(wide), narrow);
        }
    }

    #[test]
    fn numerals_are_numbers() {
        for (text, number) in [
            ("三", "3"),
            ("两次", "2"),
            ("十", "10"),
            ("十五秒", "15"),
            ("二十", "20"),
            ("九十九", "99"),
        ] {
            assert_eq!(numeral(text).as_deref(), Some(number), "{text}");
        }
        for text in ["", "次", "很多", "十十", "百", "3"] {
            assert_eq!(numeral(text), None, "{text}");
        }
    }
}
