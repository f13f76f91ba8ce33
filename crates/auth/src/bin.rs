/// Whether a business or personal identification number of Kazakhstan (BIN, IIN) has its twelve digits and the right
/// last one: the sum of digit times weight, modulo 11, with other weights when that gives 10.
pub fn is_bin(bin: &str) -> bool {
    let digits: Vec<u32> = bin.chars().filter_map(|c| c.to_digit(10)).collect();
    if digits.len() != 12 || bin.len() != 12 {
        return false;
    }
    let check = |weights: [u32; 11]| digits.iter().zip(weights).map(|(d, w)| d * w).sum::<u32>() % 11;
    let first = check([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    let sum = if first == 10 { check([3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) } else { first };
    // 10 again: no such number is given out.
    sum == digits[11]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_digit_checks_the_others() {
        // Halyk Bank, Kaspi Bank, KazMunayGas: as they print them.
        for bin in ["940140000385", "971240001315", "020240000555"] {
            assert!(is_bin(bin), "{bin}");
            let (head, last) = bin.split_at(11);
            let other = (last.parse::<u32>().unwrap() + 1) % 10;
            assert!(!is_bin(&format!("{head}{other}")));
        }
        for wrong in ["", "94014000038", "9401400003855", "94014000038x", "９40140000385"] {
            assert!(!is_bin(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_sum_of_ten_takes_the_other_weights() {
        let check = |digits: &[u32; 11], shift: u32| {
            digits.iter().zip(0u32..).map(|(d, n)| d * ((n + shift) % 11 + 1)).sum::<u32>() % 11
        };
        let digits = (0..1_000_000u32)
            .map(|n| std::array::from_fn::<u32, 11, _>(|i| n / 10u32.pow(u32::try_from(i % 6).unwrap()) % 10))
            .find(|d| check(d, 0) == 10 && check(d, 2) < 10)
            .unwrap();
        let bin: String = digits.iter().chain([&check(&digits, 2)]).map(u32::to_string).collect();
        assert!(is_bin(&bin), "{bin}");
    }
}
