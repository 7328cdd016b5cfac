"""The study: every table of the paper on two models, with seeds, paired intervals and the controls that it lacks.

`recipe` calls the stages in order; `settings` is what it can be told, `sizes` what it is told in miniature. `parts` has the
stages as all steps call them, `training` the models, `pools` their candidates and scores.
"""

from mathquorum.recipes.study.recipe import study
from mathquorum.recipes.study.settings import EvaluatorVariant, Study, StudyEvaluators, StudyMtsft
from mathquorum.recipes.study.sizes import FullStudy, SmallStudy

__all__ = ["EvaluatorVariant", "FullStudy", "SmallStudy", "Study", "StudyEvaluators", "StudyMtsft", "study"]
