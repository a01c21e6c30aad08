"""Why a model says what it says: Kernel SHAP, partial dependence, and the baseline rows that they compare with.

Everything here works on a function from a DataFrame of feature rows to outputs. It knows no files, no pipeline
documents and no registry.
"""
