"""Check digits, on numbers that another implementation made, and on published examples of German insurance numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ticketattr.domain.redaction.checksums import (
    australian_tfn,
    austrian_social,
    belgian_register,
    brazilian_cpf,
    british_nhs,
    dutch_bsn,
    ean13,
    finnish_hetu,
    french_nir,
    german_health,
    german_pension,
    german_tax_id,
    italian_code,
    luhn,
    mod11_10,
    mod97,
    norwegian_birth,
    polish_pesel,
    portuguese_nif,
    spanish_dni,
    verhoeff,
)

NUMBERS: tuple[tuple[Callable[[str], bool], str, str], ...] = (
    (
        luhn,
        "2914714067583655 7002607356478391 1107123804588820 9632016081215637 6566087873316004",
        "2914714067583659 7002607356478395 1107123804588826 9632016081215632",
    ),
    (
        mod11_10,
        "417389344 711198187 635109650 488222257 580786859 115876712 475355712 010040806",
        "417389341 635109652 488222254 580786858",
    ),
    (
        verhoeff,
        "479443033476 752919280291 678869455434 271820026221 909496079928 596524628909 552466658930",
        "752919280292 909496079922 596524628900 552466658933",
    ),
    (
        german_tax_id,
        "10123456781 42178365990 14839756269 25967834131 85719263498 31487956260 95476138250 15498723693 23658719471",
        "14839756264 85719263494 31487956264 95476138257",
    ),
    (
        french_nir,
        "272062A09938371 191111307156392 143121305863067 181051300793495 150081304428933 287122B05267295",
        "272062A09938354 191111307156326 143121305863096 181051300793470",
    ),
    (
        spanish_dni,
        "22587445L 27453657Y 08364389W 07845039S 89211569C 67450729D 79654703E 12705923X",
        "22587445N 08364389G 07845039Q 89211569E",
    ),
    (
        spanish_dni,
        "X4281668B Y9059005D X7147310Z Y1654378W Y1023919L Y3884043R X3746264R X4801063C",
        "X4281668S Y9059005J X7147310M Y1654378X",
    ),
    (
        italian_code,
        "VDMAYH84C20D435R LUPNKE66B21A593U OELCBQ53B14H826C EDLXGO89S25B898P HOJTFG55D05E692F",
        "VDMAYH84C20D435K LUPNKE66B21A593R OELCBQ53B14H826O EDLXGO89S25B898J",
    ),
    (
        italian_code,
        "KGLOML02H14F958F NEOIPC42E27Z003Q QMRCSL45E16M189B TSUSVF07E01N865T WOXAYV53H13Z861P ZAARBB90C20G121B",
        "KGLOML02H14F958G WOXAYV53H13Z861Q ZAARBB90C20G121C",
    ),
    (
        austrian_social,
        "3782011284 6186241263 7790270946 2584280358 6468190863 7684280358 5078190863 3770110365",
        "7795041076 2586031043 6460270946 7681030766",
    ),
    (
        ean13,
        "7563489317203 7564848410566 7560635125910 7567783809365 7560768686616 7561235312786 7568866334873",
        "7563489317202 7560635125917 7567783809366 7560768686617",
    ),
    (
        dutch_bsn,
        "167286237 294294569 231462335 170894563 230269254 277226430 146005351 143138108",
        "167286239 294294563 231462334 170894561",
    ),
    (
        belgian_register,
        "01020304526 15113012377 20071599919 65101908009 98030503452 47022095231 62032303021 42032365939 42120375524",
        "65101908072 98030503403 47022095220 62032303003",
    ),
    (
        polish_pesel,
        "94110386202 90110723232 43122533953 79120170504 85011857852 50070152709 71021668955 56100622642",
        "94110386201 90110723234 43122533954 79120170507",
    ),
    (
        brazilian_cpf,
        "14004041007 98348825304 00002220202 22953824596 66055845385 47514821309 86797632927 97191397730 21928408451",
        "66055845359 47514821390 86797632933 97191397755",
    ),
    (
        portuguese_nif,
        "257568549 191597660 230096654 134999940 190716789 268749760 272769649 223446637",
        "257568547 191597664 230096651 134999942",
    ),
    (
        finnish_hetu,
        "120353-4146 180379-7066 260282-563P 210552-508C 070945-761X 151196-1217 040566-241D 050871-572E",
        "120353-414T 180379-706L 260282-563T 210552-508P",
    ),
    (
        norwegian_birth,
        "20124008299 15127625414 10086321861 22025132657 21114101009 02118747693 16034210911 04116317481",
        "20124008241 15127625485 10086321853 22025132646",
    ),
    (
        british_nhs,
        "5828452592 7332567075 5030196676 7110796388 5234346900 5874640657 1908107278 6890008669",
        "5828452597 7332567076 5030196678 7110796384",
    ),
    (
        australian_tfn,
        "326685879 863483663 820245881 218919754 305727927 037950358 872588545 829483405",
        "326685870 820245880 218919757 305727929",
    ),
    (
        mod97,
        "DE07433334898497180637 DE71799300932133714841 GB17KGAO28214415679581 GB39TZLG22341891645547",
        "DE08433334898497180637 DE72799300932133714841 GB18KGAO28214415679581 GB40TZLG22341891645547",
    ),
    (
        german_pension,
        "15070649C103 89091245W037 69250483B203 24120831P696 23190401G523 45060720C179 89200816E001 10070421F378",
        "15070649C104 15070649D103 51070649C103",
    ),
    (german_health, "A000500015 A123456780 L620361530 Z687860503 M621226437", "A000500016 B000500015 A123456870"),
)


@pytest.mark.parametrize(("is_right", "right", "wrong"), NUMBERS, ids=[row[0].__name__ for row in NUMBERS])
def test_a_number_with_the_right_check_digits_is_one_and_no_other(
    is_right: Callable[[str], bool], right: str, wrong: str
) -> None:
    assert [number for number in right.split() if not is_right(number)] == []
    assert [number for number in wrong.split() if is_right(number)] == []


def test_a_number_of_one_digit_alone_is_no_brazilian_one() -> None:
    assert not brazilian_cpf("11111111111")


@pytest.mark.parametrize("digits", ["01123456782", "12345678903", "11122345678", "11112345675"])
def test_a_german_tax_number_repeats_exactly_one_digit_once_or_twice_and_begins_with_no_0(digits: str) -> None:
    assert not any(german_tax_id(digits[:10] + check) for check in "0123456789")


@pytest.mark.parametrize(("number", "fits"), [("1" * 9, False), ("123456789", True), ("501442600", True)])
def test_a_portuguese_number_ends_with_0_where_11_would_remain(number: str, fits: bool) -> None:
    assert portuguese_nif(number) is fits
