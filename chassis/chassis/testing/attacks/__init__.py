"""The token attacks of the trust model as data, so that every service's tests run the same ones.

The ids (A1, B7, D2, …) are those of the list of attacks; a row of the list with several spellings has a case
for each. A suite walks ATTACKS, builds each with an Aim, sends it, and compares what comes back with the
Answer that its own position calls for: the verifier alone, a service, or the edge.
"""

from typing import Final

from chassis.testing.attacks.case import Aim, Answer, Attack, Parts
from chassis.testing.attacks.claims import CLAIM_ATTACKS
from chassis.testing.attacks.content import CONTENT_ATTACKS
from chassis.testing.attacks.form import FORM_ATTACKS
from chassis.testing.attacks.header import HEADER_ATTACKS
from chassis.testing.attacks.keys import KEY_ATTACKS
from chassis.testing.attacks.signatures import SIGNATURE_ATTACKS
from chassis.testing.attacks.times import TIME_ATTACKS

__all__ = ["ATTACKS", "Aim", "Answer", "Attack", "Parts"]

ATTACKS: Final = (
    *KEY_ATTACKS,
    *SIGNATURE_ATTACKS,
    *FORM_ATTACKS,
    *CONTENT_ATTACKS,
    *TIME_ATTACKS,
    *CLAIM_ATTACKS,
    *HEADER_ATTACKS,
)
"""Every case. The names are unique together with the ids."""
