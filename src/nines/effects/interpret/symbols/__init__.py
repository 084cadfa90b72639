"""Operations on symbolic values and expressions that look at nothing else."""
