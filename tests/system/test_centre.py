from pathlib import Path

from contract.clock import SystemClock
from orchestrator.centre import Centre
from orchestrator.config import BrokerConfig, Config
from tests.fakes.broker import background, until


async def test_a_centre_opens_and_runs(tmp_path: Path) -> None:
    config = Config(data=tmp_path, broker=BrokerConfig(port=0))
    async with Centre.open(config, SystemClock()) as centre, background(centre.run()):
        assert centre.set_up_secret
        await until(lambda: centre.bus.is_up)
