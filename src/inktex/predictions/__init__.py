r"""Predictions of any system beside their references, read from the files that circulate in the field.

The format is found from the content, never from the file's name:

===========  =============================================================  =================================
format       one expression                                                 serves as
===========  =============================================================  =================================
TSV          ``NAME<TAB>LATEX`` (``inktex recognize --tokens``)           predictions or references
JSON lines   an object with an id and a text, see below                     predictions, references or both
JSON list    the same objects in ``[...]`` (``{i, image, p, l}``)           predictions, references or both
JSON table   ``{NAME: {label, predi}}``, as CAN writes its wrong answers    predictions, references or both
zip          a ``.txt`` member: ``%KEY``, then ``$LATEX$`` (CoMER)          predictions or references
Parquet      a row of a data set                                            references
plain lines  a line of LaTeX, empty ones too; matched by position           predictions or references
===========  =============================================================  =================================

Keys of a JSON object, of each kind the first that is there: the id is ``id``, ``file``, ``name``, ``image``
or ``i``; the prediction ``prediction``, ``pred``, ``predi``, ``p`` or ``latex``; the reference ``reference``,
``label`` or ``l``, and in a file of references ``latex`` too. Beside ``latex`` may stand ``tokens``, a list
that counts instead of it. There may be ``confidence`` (0 to 1), ``writer`` or ``source``, and ``error`` or
``problem`` where there is no prediction. In ``p`` and ``l`` the characters 0, 2 and 3, which are the padding,
start and end of the system that writes them, are no part of the text.

Rules, the same for both sides:

* LaTeX is always cut by :func:`inktex.latex.tree.tokenize`. Text that is tokens already (``x ^ { 2 }``) keeps
  them, raw text (``x^{2}``) gives the same; tokens that hold several, such as ``\left(``, are divided.
* Names are compared without folders and without the suffix of a picture or of ink (:func:`item_id`).
* Of several items of one name the first counts.
"""

from inktex.predictions.dialect import Change, Normalised, normalise
from inktex.predictions.matching import Matched, match, reference_hash
from inktex.predictions.reading import Format
from inktex.predictions.records import item_id

__all__ = ["Change", "Format", "Matched", "Normalised", "item_id", "match", "normalise", "reference_hash"]
