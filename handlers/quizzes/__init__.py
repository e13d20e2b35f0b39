"""Quizzes: 我要考试, practice and examinations out of a bank of questions."""

from __future__ import annotations
