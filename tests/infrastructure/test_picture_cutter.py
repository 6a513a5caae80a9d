"""Pictures in an answer count for no bound."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticketattr.infrastructure.picture_cutter import PictureCutter

same_each_time = settings(derandomize=True, database=None)
DATA = base64.b64encode(bytes(range(256)) * 20).decode()
ANSWER = json.dumps([{"id": 1, "body": f'<p>"a" <img src="data:image/png;base64,{DATA}"> b\\c</p>'}, {"id": 2}])


def cut_pictures(content: bytes) -> bytes:
    cutter = PictureCutter()
    return cutter.feed(content) + cutter.finish()


@pytest.mark.parametrize(
    "answer", [ANSWER, ANSWER.replace("/", "\\/"), ANSWER.replace(DATA[:76], DATA[:76] + "\\r\\n")]
)
def test_the_data_of_a_picture_is_cut_and_all_else_is_kept(answer: str) -> None:
    cut = cut_pictures(answer.encode())
    assert len(cut) < 300
    first, second = json.loads(cut)
    assert first["body"].startswith('<p>"a" <img src="data:image/png;base64,')
    assert first["body"].endswith('"> b\\c</p>')
    assert second == {"id": 2}


@same_each_time
@given(st.lists(st.integers(1, 300), min_size=1))
def test_the_result_does_not_depend_on_the_chunks(sizes: list[int]) -> None:
    content, cutter, kept, at = ANSWER.encode(), PictureCutter(), b"", 0
    while at < len(content):
        size = sizes[at % len(sizes)]
        kept += cutter.feed(content[at : at + size])
        at += size
    assert json.loads(kept + cutter.finish()) == json.loads(cut_pictures(content))


@same_each_time
@given(st.binary() | st.lists(st.sampled_from([b";base64,", b"A", b"\\", b"\\/", b'"', b";base"])).map(b"".join))
def test_what_holds_no_long_picture_stays_as_it_is(content: bytes) -> None:
    if len(content) < 60:
        assert cut_pictures(content) == content
