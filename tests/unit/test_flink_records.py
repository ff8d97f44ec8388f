"""A record that the Flink job cannot read is told with its topic and its beginning."""

import pytest

from streams.config import MarginquakeError


@pytest.mark.flink
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_record_that_cannot_be_read_is_told_with_its_topic() -> None:
    # PyFlink warns of itself when it is imported.
    from streams import contracts
    from streams.engines.flink.functions import decoded
    from streams.engines.flink.job import asset_of

    assert asset_of('{"asset": "BTC", "second": 1}') == "BTC"
    with pytest.raises(MarginquakeError, match=r"a record of frames\.v1 cannot be read .*XYZ"):
        asset_of('{"asset": "XYZ", "broken')
    with pytest.raises(MarginquakeError, match=r"a record of market_inputs\.v1 cannot be read"):
        decoded(contracts.MARKET_INPUTS, contracts.decode_market_input, '{"asset": "XYZ"}')
